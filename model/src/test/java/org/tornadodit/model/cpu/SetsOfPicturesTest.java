package org.tornadodit.model.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.model.io.numpy.NpzPictures;
import org.tornadodit.model.metrics.HashedInception;
import org.tornadodit.model.metrics.InceptionScore;
import org.tornadodit.model.metrics.InceptionWeights;
import org.tornadodit.model.metrics.PictureFeatures;

/** Features and measures of sets of pictures against PyTorch's and NumPy's (make_generation_references.py). */
class SetsOfPicturesTest {
    private static final Path DATA = Path.of("../reference/data/generation").toAbsolutePath();
    private static final int D = 16;

    /** Measured: at most 2.2e-6. */
    private static final double FEATURES = 1e-5;

    private static Path data() {
        return Files.isDirectory(DATA)
                ? DATA
                : Path.of("reference/data/generation").toAbsolutePath();
    }

    private static float[] array(String name) {
        return NpyFile.read(data().resolve(name + ".npy")).floats();
    }

    private static JsonObject expected(String group) throws IOException {
        return JsonParser.parseString(Files.readString(data().resolve("manifest.json")))
                .getAsJsonObject()
                .getAsJsonObject(group);
    }

    @Test
    void inceptionIsPyTorchs() throws IOException {
        try (Workers workers = new Workers(2)) {
            Inception inception = new Inception(HashedInception.weights(), workers);
            PictureFeatures a = features("a", inception);
            PictureFeatures b = features("b", inception);
            assertEquals(
                    expected("pictures").get("fid").getAsDouble(),
                    FrechetDistance.of(a.pooled(), b.pooled(), InceptionWeights.POOLED, workers),
                    0.01);
            assertEquals(
                    expected("pictures").get("sfid").getAsDouble(),
                    FrechetDistance.of(a.spatial(), b.spatial(), PictureFeatures.SPATIAL, workers),
                    0.01);
            assertEquals(
                    expected("pictures").get("inception_score").getAsDouble(),
                    InceptionScore.of(b.probabilities(), InceptionWeights.CLASSES, InceptionScore.PART),
                    1e-5);
        }
    }

    private static PictureFeatures features(String name, Inception inception) {
        try (NpzPictures pictures = new NpzPictures(data().resolve(name + ".npz"))) {
            byte[] all = new byte[(int) pictures.count() * pictures.pictureBytes()];
            PictureFeatures features = new PictureFeatures(pictures.read(all));
            assertEquals(0, pictures.read(all));
            inception.compute(all, features.count(), pictures.height(), pictures.width(), features, 0);
            close(name + ".pooled", features.count(), features.pooled());
            close(name + ".spatial", features.count(), features.spatial());
            close(name + ".softmax", features.count(), features.probabilities());
            return features;
        }
    }

    private static void close(String name, int count, float[] values) {
        TensorAssert.assertRelativeError(name, Shape.of(count, values.length / count), values, array(name), FEATURES);
    }

    @Test
    void measuresAreNumPys() throws IOException {
        float[] reference = array("features.reference");
        float[] sample = array("features.sample");
        JsonObject wanted = expected("features");
        try (Workers workers = new Workers(2)) {
            double fid = wanted.get("fid").getAsDouble();
            assertEquals(fid, FrechetDistance.of(reference, sample, D, workers), 1e-9 * fid, "of features");
            assertEquals(
                    fid,
                    FrechetDistance.of(
                            FrechetDistance.moments(reference, D, workers),
                            FrechetDistance.moments(sample, D, workers)),
                    1e-9 * fid,
                    "of moments");
            float[] few = Arrays.copyOf(sample, 9 * D);
            double ofFew = wanted.get("fid_few").getAsDouble();
            assertEquals(ofFew, FrechetDistance.of(reference, few, D, workers), 1e-9 * ofFew, "fewer than features");
            assertEquals(
                    ofFew,
                    FrechetDistance.of(
                            FrechetDistance.moments(reference, D, workers), FrechetDistance.moments(few, D, workers)),
                    1e-5 * ofFew,
                    "a covariance that is singular");
            assertEquals(0, FrechetDistance.of(sample, sample, D, workers), 1e-9);

            Manifolds.PrecisionRecall both = new Manifolds(workers).of(reference, sample, D);
            assertEquals(wanted.get("precision").getAsDouble(), both.precision());
            assertEquals(wanted.get("recall").getAsDouble(), both.recall());
            assertEquals(new Manifolds.PrecisionRecall(1, 1), new Manifolds(workers).of(sample, sample, D), "itself");
        }
        float[] probabilities = array("features.probabilities");
        assertEquals(
                wanted.get("inception_score").getAsDouble(),
                InceptionScore.of(probabilities, 6, InceptionScore.PART),
                1e-9);
        assertEquals(
                wanted.get("inception_score_split_20").getAsDouble(), InceptionScore.of(probabilities, 6, 20), 1e-9);
    }

    @Test
    void momentsOfOtherSizesAreRefused() {
        FrechetDistance.Moments two = new FrechetDistance.Moments(new double[2], new double[4]);
        FrechetDistance.Moments one = new FrechetDistance.Moments(new double[1], new double[1]);
        assertThrows(IllegalArgumentException.class, () -> FrechetDistance.of(two, one));
    }
}
