package org.tornadodit.model.noise;

/** Between two noises along a great circle, so that what is between has the length of noise too (K. Shoemake, 1985). */
public final class Slerp {
    private Slerp() {}

    /**
     * {@code (sin((1 - t) w) a + sin(t w) b) / sin w}, w the angle between a and b; on the line where they have none.
     *
     * @param share t, 0 for a to 1 for b
     * @return a new array
     */
    public static float[] between(float[] a, float[] b, double share) {
        double dot = 0;
        double lengthA = 0;
        double lengthB = 0;
        for (int i = 0; i < a.length; i++) {
            dot += (double) a[i] * b[i];
            lengthA += (double) a[i] * a[i];
            lengthB += (double) b[i] * b[i];
        }
        double angle = Math.acos(Math.clamp(dot / Math.sqrt(lengthA * lengthB), -1, 1));
        double sine = Math.sin(angle);
        boolean line = !(sine > 1e-6);
        double ofA = line ? 1 - share : Math.sin((1 - share) * angle) / sine;
        double ofB = line ? share : Math.sin(share * angle) / sine;
        float[] between = new float[a.length];
        for (int i = 0; i < a.length; i++) {
            between[i] = (float) (ofA * a[i] + ofB * b[i]);
        }
        return between;
    }
}
