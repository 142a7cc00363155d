package org.tornadodit.model.metrics;

/**
 * What Inception tells of a set of pictures.
 *
 * @param count N
 * @param pooled (N, {@value InceptionWeights#POOLED})
 * @param spatial (N, {@value #SPATIAL})
 * @param probabilities (N, {@value InceptionWeights#CLASSES}) of the classes
 */
@SuppressWarnings("ArrayRecordComponent") // filled in place, never compared
public record PictureFeatures(int count, float[] pooled, float[] spatial, float[] probabilities) {
    /** Elements of the spatial features: 7 channels of 17 x 17 pixels. */
    public static final int SPATIAL = 7 * 17 * 17;

    /** More do not fit into an array. */
    public static final int MOST = 1_000_000;

    /** Room for so many pictures. */
    public PictureFeatures(int count) {
        this(
                count,
                new float[Math.multiplyExact(count, InceptionWeights.POOLED)],
                new float[Math.multiplyExact(count, SPATIAL)],
                new float[Math.multiplyExact(count, InceptionWeights.CLASSES)]);
    }

    /** Bytes of a set. */
    public static long bytes(long count) {
        return Float.BYTES * count * (InceptionWeights.POOLED + SPATIAL + InceptionWeights.CLASSES);
    }

    /** Takes over one picture's. */
    public void set(int picture, float[] ofPooled, float[] ofSpatial, float[] ofProbabilities) {
        System.arraycopy(ofPooled, 0, pooled, picture * ofPooled.length, ofPooled.length);
        System.arraycopy(ofSpatial, 0, spatial, picture * ofSpatial.length, ofSpatial.length);
        System.arraycopy(ofProbabilities, 0, probabilities, picture * ofProbabilities.length, ofProbabilities.length);
    }
}
