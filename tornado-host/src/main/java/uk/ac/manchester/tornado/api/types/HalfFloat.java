package uk.ac.manchester.tornado.api.types;

/** A 16-bit float (IEEE binary16). Arithmetic is done in 32 bits and rounded to nearest even once. */
public class HalfFloat {
    private final short bits;

    /** The nearest half to {@code value}. */
    public HalfFloat(float value) {
        this.bits = Float.floatToFloat16(value);
    }

    /** The half with these bits. */
    public HalfFloat(short bits) {
        this.bits = bits;
    }

    public static HalfFloat add(HalfFloat a, HalfFloat b) {
        return new HalfFloat(a.getFloat32() + b.getFloat32());
    }

    public static HalfFloat sub(HalfFloat a, HalfFloat b) {
        return new HalfFloat(a.getFloat32() - b.getFloat32());
    }

    public static HalfFloat mult(HalfFloat a, HalfFloat b) {
        return new HalfFloat(a.getFloat32() * b.getFloat32());
    }

    public static HalfFloat div(HalfFloat a, HalfFloat b) {
        return new HalfFloat(a.getFloat32() / b.getFloat32());
    }

    /** The sixteen bits. */
    public short getHalfFloatValue() {
        return bits;
    }

    /** The value, exactly. */
    public float getFloat32() {
        return Float.float16ToFloat(bits);
    }

    @Override
    public String toString() {
        return "HalfFloat " + getFloat32();
    }
}
