package org.tornadodit.kernels.ptx;

/** Single instructions for functions; errors as PTX states them. */
public final class Approximate {

    private Approximate() {}

    /** 2^x, relative error 2^-22.5 or so; denormal results are zero. */
    @Instruction(value = "ex2.approx.ftz.f32 $r, $0;", ordered = false)
    public static float exp2(float x) {
        return (float) Math.exp(x * 0.6931471805599453);
    }

    /** 1 / x, within 1 ulp. */
    @Instruction(value = "rcp.approx.ftz.f32 $r, $0;", ordered = false)
    public static float reciprocal(float x) {
        return 1f / x;
    }

    /** The larger one; the other one if one is NaN. */
    @Instruction(value = "max.f32 $r, $0, $1;", ordered = false)
    public static float max(float x, float y) {
        return Float.isNaN(x) ? y : Float.isNaN(y) ? x : Math.max(x, y);
    }

    /** The smaller one; the other one if one is NaN. */
    @Instruction(value = "min.f32 $r, $0, $1;", ordered = false)
    public static float min(float x, float y) {
        return Float.isNaN(x) ? y : Float.isNaN(y) ? x : Math.min(x, y);
    }

    /** The larger one; NaN if one of them is. */
    @Instruction(
            value = "max.NaN.f32 $r, $0, $1;",
            volta = "{ .reg .pred %p; .reg .f32 %t; setp.nan.f32 %p, $0, $1; max.f32 %t, $0, $1;"
                    + " selp.f32 $r, 0f7FFFFFFF, %t, %p; }",
            ordered = false)
    public static float maxOrNaN(float x, float y) {
        return Math.max(x, y);
    }

    /** {@code x y + z}, rounded once. */
    @Instruction(value = "fma.rn.f32 $r, $0, $1, $2;", ordered = false)
    public static float fma(float x, float y, float z) {
        return Math.fma(x, y, z);
    }
}
