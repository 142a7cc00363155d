package org.tornadodit.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Reads the arrays under test resources: NumPy's format 1.0, little endian, C order, of one known type. */
public final class NpyResource {

    private NpyResource() {}

    /** A float32 array. */
    public static float[] floats(Class<?> test, String name) {
        ByteBuffer data = data(test, name, "<f4");
        float[] values = new float[data.remaining() / Float.BYTES];
        data.asFloatBuffer().get(values);
        return values;
    }

    /** A float64 array. */
    public static double[] doubles(Class<?> test, String name) {
        ByteBuffer data = data(test, name, "<f8");
        double[] values = new double[data.remaining() / Double.BYTES];
        data.asDoubleBuffer().get(values);
        return values;
    }

    /** An int64 array. */
    public static long[] longs(Class<?> test, String name) {
        ByteBuffer data = data(test, name, "<i8");
        long[] values = new long[data.remaining() / Long.BYTES];
        data.asLongBuffer().get(values);
        return values;
    }

    private static ByteBuffer data(Class<?> test, String name, String type) {
        try (InputStream in = test.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalArgumentException("no resource " + name + " beside " + test);
            }
            ByteBuffer file = ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
            int start = 10 + file.getShort(8);
            String header = new String(file.array(), 10, start - 10, StandardCharsets.US_ASCII);
            if (!header.contains("'" + type + "'") || header.contains("'fortran_order': True")) {
                throw new IllegalArgumentException(name + ": expected " + type + " in C order, found " + header);
            }
            return file.slice(start, file.capacity() - start).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
