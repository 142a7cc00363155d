package org.tornadodit.runner.challenge;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.JavaHeap;
import org.tornadodit.model.Printable;
import org.tornadodit.model.cpu.FrechetDistance;
import org.tornadodit.model.cpu.FrechetDistance.Moments;
import org.tornadodit.model.cpu.Inception;
import org.tornadodit.model.cpu.Manifolds;
import org.tornadodit.model.cpu.Workers;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.numpy.NpzPictures;
import org.tornadodit.model.metrics.InceptionScore;
import org.tornadodit.model.metrics.InceptionWeights;
import org.tornadodit.model.metrics.PictureFeatures;

/**
 * Compares sets of pictures as ADM's evaluator does (P. Dhariwal and A. Nichol, arXiv 2105.05233): FID, sFID, Inception Score,
 * precision and recall. A reference may have its statistics, computed from more pictures, beside those it holds.
 */
final class SetEvaluation {
    private static final int LEAST = 4;

    /** Bytes of pictures that are read at once; a larger one is read alone. */
    private static final int MOST_READ = 64 << 20;

    private static final long SPEAK_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Path weights;
    private final PrintWriter err;

    /** @param err where progress is told */
    SetEvaluation(Path weights, PrintWriter err) {
        this.weights = weights;
        this.err = err;
    }

    /**
     * A file's pictures and statistics; what it does not have is null.
     *
     * @param pooled mean and covariance as the file tells them
     */
    private record Measured(
            Path file,
            @Nullable PictureFeatures features,
            @Nullable Moments pooled,
            @Nullable Moments spatial) {}

    /** Prints what the evaluator prints, a block for each file of samples. */
    void print(Path reference, List<Path> samples, boolean json, PrintWriter out) {
        List<Path> files = new ArrayList<>(samples);
        files.addFirst(reference);
        requireMemory(files);
        try (Workers workers = Workers.ofAllCores()) {
            Inception inception = new Inception(InceptionWeights.open(weights), workers);
            Measured first = measure(reference, inception, workers, true);
            JsonArray all = new JsonArray();
            for (Path file : samples) {
                Map<String, Double> values = compare(first, measure(file, inception, workers, false), workers);
                if (json) {
                    JsonObject object = new JsonObject();
                    object.addProperty("samples", file.toString());
                    values.forEach((name, value) -> object.addProperty(name, value));
                    all.add(object);
                } else {
                    if (samples.size() > 1) {
                        out.println(Printable.path(file));
                    }
                    values.forEach((name, value) -> out.printf(Locale.ROOT, "%s: %s%n", name, value));
                }
            }
            if (json) {
                JsonObject object = new JsonObject();
                object.addProperty("reference", reference.toString());
                object.add("results", all);
                out.println(object);
            }
        }
    }

    private static void requireMemory(List<Path> files) {
        long bytes = bytes(files, Runtime.getRuntime().availableProcessors());
        if (!JavaHeap.holds(bytes)) {
            throw new IllegalStateException(
                    "the features of %d files take %s".formatted(files.size(), JavaHeap.shortage(bytes)));
        }
    }

    /** Bytes that it takes besides the weights. */
    static long bytes(List<Path> files, int threads) {
        long bytes = 4L * Double.BYTES * InceptionWeights.POOLED * InceptionWeights.POOLED
                + Inception.bytesOfThread() * threads;
        long largest = 0;
        long read = 0;
        for (Path file : files) {
            try (NpzPictures pictures = new NpzPictures(file)) {
                if (pictures.count() > PictureFeatures.MOST || (pictures.hasPictures() && pictures.count() < LEAST)) {
                    throw new CheckpointException("%s: %d pictures, expected %d to %d"
                            .formatted(Printable.path(file), pictures.count(), LEAST, PictureFeatures.MOST));
                }
                if (pictures.hasPictures()) {
                    read = Math.max(read, (long) atOnce(threads, pictures.pictureBytes()) * pictures.pictureBytes());
                }
                long own = PictureFeatures.bytes(pictures.count());
                if (file.equals(files.getFirst())) {
                    bytes += own;
                } else {
                    largest = Math.max(largest, own); // one at a time
                }
            }
        }
        return bytes + largest + read;
    }

    /** Pictures that are read before the threads share them out: some for each, but no more than fit. */
    static int atOnce(int threads, int pictureBytes) {
        return Math.max(1, Math.min(4 * threads, MOST_READ / pictureBytes));
    }

    private Measured measure(Path file, Inception inception, Workers workers, boolean reference) {
        try (NpzPictures pictures = new NpzPictures(file)) {
            Moments pooled = reference ? statistics(file, pictures, "mu", "sigma") : null;
            Moments spatial = reference ? statistics(file, pictures, "mu_s", "sigma_s") : null;
            if (!pictures.hasPictures() && (pooled == null || !reference)) {
                throw new CheckpointException("%s: expected arr_0, uint8 pictures (N, H, W, 3)%s, found none"
                        .formatted(Printable.path(file), reference ? ", or mu and sigma" : ""));
            }
            return new Measured(
                    file,
                    pictures.hasPictures() ? features(file, pictures, inception, workers) : null,
                    pooled,
                    spatial);
        }
    }

    private static @Nullable Moments statistics(Path file, NpzPictures pictures, String mean, String covariance) {
        Optional<double[]> mu = pictures.statistics(mean);
        Optional<double[]> sigma = pictures.statistics(covariance);
        if (mu.isEmpty() || sigma.isEmpty()) {
            return null;
        }
        int wanted = mean.equals("mu") ? InceptionWeights.POOLED : PictureFeatures.SPATIAL;
        if (mu.get().length != wanted || sigma.get().length != wanted * wanted) {
            throw new CheckpointException("%s: %s and %s: expected %d and %d x %d values, found %d and %d"
                    .formatted(
                            Printable.path(file),
                            mean,
                            covariance,
                            wanted,
                            wanted,
                            wanted,
                            mu.get().length,
                            sigma.get().length));
        }
        return new Moments(mu.get(), sigma.get());
    }

    private PictureFeatures features(Path file, NpzPictures pictures, Inception inception, Workers workers) {
        PictureFeatures features = new PictureFeatures((int) pictures.count());
        byte[] some = new byte[atOnce(workers.threads(), pictures.pictureBytes()) * pictures.pictureBytes()];
        int done = 0;
        long start = System.nanoTime();
        long spoken = start;
        for (int read = pictures.read(some); read > 0; read = pictures.read(some)) {
            inception.compute(some, read, pictures.height(), pictures.width(), features, done);
            done += read;
            long now = System.nanoTime();
            if (now - spoken > SPEAK_NANOS) {
                spoken = now;
                err.printf(
                        Locale.ROOT,
                        "%s: %d of %d pictures, %.1f a second%n",
                        Printable.path(file),
                        done,
                        pictures.count(),
                        done * 1e9 / (now - start));
                err.flush();
            }
        }
        return features;
    }

    private Map<String, Double> compare(Measured reference, Measured sample, Workers workers) {
        PictureFeatures theirs = reference.features();
        PictureFeatures own = sample.features();
        if (own == null) {
            throw new IllegalArgumentException("no pictures");
        }
        Map<String, Double> values = new LinkedHashMap<>();
        values.put(
                "Inception Score",
                InceptionScore.of(own.probabilities(), InceptionWeights.CLASSES, InceptionScore.PART));
        err.println("distances of " + Printable.path(sample.file()));
        err.flush();
        Double fid = distance(
                reference.pooled(),
                theirs == null ? null : theirs.pooled(),
                own.pooled(),
                InceptionWeights.POOLED,
                workers);
        Double sfid = distance(
                reference.spatial(),
                theirs == null ? null : theirs.spatial(),
                own.spatial(),
                PictureFeatures.SPATIAL,
                workers);
        if (fid != null) {
            values.put("FID", fid);
        }
        if (sfid != null) {
            values.put("sFID", sfid);
        }
        if (theirs != null) {
            Manifolds.PrecisionRecall both =
                    new Manifolds(workers).of(theirs.pooled(), own.pooled(), InceptionWeights.POOLED);
            values.put("Precision", both.precision());
            values.put("Recall", both.recall());
        } else {
            err.println(Printable.path(reference.file()) + " has statistics alone: no precision and recall"
                    + (sfid == null ? ", no sFID" : ""));
        }
        return values;
    }

    private static @Nullable Double distance(
            @Nullable Moments told, float @Nullable [] theirs, float[] own, int dimensions, Workers workers) {
        if (told != null) {
            return FrechetDistance.of(told, FrechetDistance.moments(own, dimensions, workers));
        }
        return theirs == null ? null : FrechetDistance.of(theirs, own, dimensions, workers);
    }
}
