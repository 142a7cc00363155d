package org.tornadodit.runner.bulk;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.pipeline.setup.DeviceTuning;
import org.tornadodit.pipeline.setup.HeapNeed;
import org.tornadodit.pipeline.setup.Machine;
import org.tornadodit.pipeline.setup.WeightFiles;
import org.tornadodit.runner.output.Outcome;
import org.tornadodit.runner.plan.SamplingPlan;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.scheduler.engine.Engine;

/** Makes what is missing of a shard. */
final class Worker {
    /** Between two looks at what all shards have; longer where looking takes long. */
    private static final long COUNT_NANOS = 10_000_000_000L;

    private static final int COUNTS_SHARE = 20;

    private final Pictures pictures;
    private final Shard shard;
    private final RunFolder folder;
    private final Checkpoint weights;
    private final Checkpoint vaeWeights;
    private final Function<Supplier<String>, PictureProgress> progress;
    private final Consumer<String> say;
    private final PrintWriter out;
    private final PrintWriter err;

    private int all;
    private long nextCount;

    /**
     * @param progress shows a line
     * @param say takes a line for the user
     */
    Worker(
            Pictures pictures,
            Shard shard,
            RunFolder folder,
            Checkpoint weights,
            Checkpoint vaeWeights,
            Function<Supplier<String>, PictureProgress> progress,
            Consumer<String> say,
            PrintWriter out,
            PrintWriter err) {
        this.pictures = pictures;
        this.shard = shard;
        this.folder = folder;
        this.weights = weights;
        this.vaeWeights = vaeWeights;
        this.progress = progress;
        this.say = say;
        this.out = out;
        this.err = err;
    }

    /**
     * Does all of it.
     *
     * @throws org.tornadodit.runner.terminal.PermanentException when the folder is another run's, or has a file that is none
     *     of this run's
     * @throws IOException when another worker has the shard, or the disk fails
     */
    void run() throws IOException {
        RunManifest manifest = pictures.manifest();
        folder.create();
        folder.claim(manifest);
        try (ShardLock lock = ShardLock.take(folder, shard, Surroundings.environment(), say)) {
            folder.cleanUp();
            int[] missing = missing(manifest);
            int own = shard.size(pictures.total());
            double seconds = missing.length == 0 ? 0 : make(missing, own);
            int there = folder.count();
            out.printf(
                    Locale.ROOT,
                    "%s: shard %s is complete, %d pictures, %d of them made now%s; %d of %d in all%n",
                    folder.path(),
                    shard,
                    own,
                    missing.length,
                    seconds > 0 ? String.format(Locale.ROOT, ", %.3f a second", missing.length / seconds) : "",
                    there,
                    pictures.total());
            if (there == pictures.total()) {
                err.printf("dit bulk --collect %s puts them into one file%n", folder.path());
            }
        }
    }

    /** Numbers of the shard's pictures that are not there, or not whole. */
    private int[] missing(RunManifest manifest) throws IOException {
        BitSet there = folder.pictures(pictures.total());
        PictureReader reader = new PictureReader(folder, manifest);
        int[] own = shard.pictures(pictures.total()).filter(there::get).toArray();
        int threads = Runtime.getRuntime().availableProcessors();
        try (ExecutorService readers = Executors.newFixedThreadPool(threads)) {
            List<Future<@Nullable String>> checks = IntStream.of(own)
                    .mapToObj(number -> readers.submit(() -> reader.damage(number, pictures.label(number))))
                    .toList();
            try {
                for (int i = 0; i < own.length; i++) {
                    String damage = Outcome.of(checks.get(i));
                    if (damage != null) {
                        say.accept(damage + "; it is made again");
                        there.clear(own[i]);
                    }
                }
            } finally {
                checks.forEach(check -> check.cancel(false));
            }
        }
        return shard.pictures(pictures.total())
                .filter(number -> !there.get(number))
                .toArray();
    }

    /** Returns the seconds that it took, without loading. */
    private double make(int[] missing, int own) throws IOException {
        SamplingPlan plan = pictures.plan();
        int places = plan.request().samples();
        HeapNeed heap = plan.heapNeed(true);
        try {
            plan.requireMemory(heap, weights, vaeWeights);
        } catch (IllegalStateException e) {
            throw new IllegalStateException(
                    String.valueOf(e.getMessage())
                            .replace("name fewer --class-labels", "give a smaller --per-proc-batch-size"),
                    e);
        }
        DeviceTuning tuned = plan.tuning();
        try (Engine engine = plan.load(weights, vaeWeights, tuned, say)) {
            err.println(engine.description());
            tuned.lines().forEach(err::println);
            if (!plan.device().cpu()) {
                Machine.nvidiaDriver().ifPresent(driver -> err.println("driver: " + driver));
            }
            err.printf(
                    "%s; shard %s: %d of %d pictures to make, %d at a time%n",
                    plan.summary().replaceFirst(", \\d+ images of ", ", pictures of "),
                    shard,
                    missing.length,
                    own,
                    places);
            WeightFiles used = plan.device().cpu() ? WeightFiles.of(weights, vaeWeights) : WeightFiles.of();
            PictureLoop loop = new PictureLoop(engine, used, pictures, folder, places, heap.decodedTogether());
            long begun = System.nanoTime();
            try (PictureProgress line = progress.apply(() -> words(loop, missing.length, own, begun))) {
                loop.make(missing);
            }
            return (System.nanoTime() - begun) / 1e9;
        }
    }

    private synchronized String words(PictureLoop loop, int toMake, int own, long begun) {
        long now = System.nanoTime();
        int written = loop.written();
        if (nextCount == 0 || now >= nextCount || written == toMake) {
            try {
                all = folder.count();
            } catch (IOException e) {
                System.getLogger("dit").log(System.Logger.Level.DEBUG, "not counted", e);
            }
            long end = System.nanoTime();
            nextCount = end + Math.max(COUNT_NANOS, COUNTS_SHARE * (end - now));
        }
        double rate = written / ((now - begun) / 1e9);
        return String.format(
                Locale.ROOT,
                "pictures: %d of %d in all, %d of %d of shard %s [%.2f/s, %s left]",
                all,
                pictures.total(),
                own - toMake + written,
                own,
                shard,
                rate,
                written == 0 ? "?" : clock((toMake - written) / rate));
    }

    private static String clock(double seconds) {
        long whole = Math.round(seconds);
        return "%d:%02d:%02d".formatted(whole / 3600, whole / 60 % 60, whole % 60);
    }
}
