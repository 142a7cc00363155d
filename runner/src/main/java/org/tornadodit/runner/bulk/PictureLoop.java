package org.tornadodit.runner.bulk;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.PrimitiveIterator;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.pipeline.setup.BatchLoop;
import org.tornadodit.pipeline.setup.WeightFiles;
import org.tornadodit.runner.output.ImageGrid;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/**
 * Makes pictures, each a batch of its own, so that they join and leave the engine's pass one by one: as many wait for a place
 * as have one, which nobody looks for when a picture is done. They are decoded a portion at a time, and written by
 * threads of their own. All that is in memory is bounded: who samples waits for those who decode and write.
 */
final class PictureLoop {
    private static final int MOST_WRITERS = 8;
    private static final long SECONDS_TO_END = 600;

    /** Latents of a picture. */
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    private record Sampled(int number, float[] latents) {
        /** Says that there is a failure. */
        static final Sampled FAILURE = new Sampled(-1, new float[0]);
    }

    private final Engine engine;
    private final WeightFiles used;
    private final Pictures pictures;
    private final RunFolder folder;
    private final int places;
    private final int portion;
    private final int size;

    private final BlockingQueue<Sampled> sampled = new LinkedBlockingQueue<>();
    /** Pictures that are sampled, or wait for their place or for the decoder. */
    private final Semaphore undecoded;
    /** Pictures that are decoded and not written. */
    private final Semaphore unwritten;

    private final AtomicInteger written = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    /**
     * @param used files that the engine reads meanwhile
     * @param places samples that share the engine's pass
     * @param portion images that are decoded in one call at most
     */
    PictureLoop(Engine engine, WeightFiles used, Pictures pictures, RunFolder folder, int places, int portion) {
        this.engine = engine;
        this.used = used;
        this.pictures = pictures;
        this.folder = folder;
        this.places = places;
        this.portion = Math.min(portion, places);
        this.size = pictures.plan().config().imageSize();
        this.undecoded = new Semaphore(3 * places);
        this.unwritten = new Semaphore(2 * this.portion);
    }

    /** Threads that write. */
    static int writers() {
        return Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, MOST_WRITERS);
    }

    /** Pictures that are written so far. */
    int written() {
        return written.get();
    }

    /**
     * Makes pictures, and returns when all are written.
     *
     * @param numbers of the pictures, in the order in which they begin
     * @throws IOException when one cannot be written
     */
    void make(int[] numbers) throws IOException {
        PrimitiveIterator.OfInt next = IntStream.of(numbers).iterator();
        ExecutorService writers = Executors.newFixedThreadPool(
                writers(),
                Thread.ofPlatform().daemon().name("picture-writer-", 0).factory());
        List<Thread> samplers = new ArrayList<>();
        try {
            for (int i = 0; i < Math.min(2 * places, numbers.length); i++) {
                samplers.add(Thread.ofVirtual().name("sampler-" + i).start(() -> sample(next)));
            }
            decode(numbers.length, writers);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        } finally {
            samplers.forEach(Thread::interrupt);
            end(writers); // what is decoded is worth keeping when the next picture fails
        }
        throwFailure();
    }

    /** Takes one picture after the other through its steps. */
    private void sample(PrimitiveIterator.OfInt next) {
        BatchLoop loop = new BatchLoop(engine, used, pictures.plan().config().inputElements());
        try {
            while (failure.get() == null) {
                int number;
                undecoded.acquire();
                synchronized (next) {
                    if (!next.hasNext()) {
                        return;
                    }
                    number = next.nextInt();
                }
                loop.run(
                        1,
                        batch -> pictures.request(number),
                        pictures.noise(number),
                        BatchLoop.Point.START,
                        new BatchLoop.Follower<RuntimeException>() {
                            @Override
                            public StepListener begin(int batch, SamplingState from) {
                                return StepListener.NONE;
                            }

                            @Override
                            public void sampled(BatchLoop.Sampled batch) {
                                sampled.add(new Sampled(number, batch.latents()));
                            }
                        });
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody waits for it any more
        } catch (Throwable e) {
            fail(e);
        }
    }

    private void decode(int count, ExecutorService writers) throws InterruptedException {
        int elements = pictures.plan().config().inputElements();
        for (int done = 0; done < count; ) {
            List<Sampled> some = new ArrayList<>();
            // Whole portions, which are the fastest; who samples has places enough meanwhile.
            while (some.size() < Math.min(portion, count - done)) {
                some.add(sampled.take());
                if (failure.get() != null) {
                    return;
                }
            }
            float[] latents = new float[some.size() * elements];
            for (int i = 0; i < some.size(); i++) {
                System.arraycopy(some.get(i).latents(), 0, latents, i * elements, elements);
            }
            undecoded.release(some.size());
            float[] images;
            try {
                images = used.read(() -> engine.decode(latents, some.size()));
            } catch (RuntimeException | Error e) {
                fail(e);
                return;
            }
            for (int i = 0; i < some.size(); i++) {
                int place = i;
                unwritten.acquire();
                writers.execute(() -> write(some.get(place).number(), images, place));
            }
            done += some.size();
        }
    }

    private void write(int number, float[] images, int place) {
        try {
            BufferedImage picture = ImageGrid.one(images, place, size);
            Map<String, String> texts = pictures.facts(number).texts();
            AtomicFile.writeUnforced(folder.picture(number), out -> ImageFiles.writePng(picture, texts, out));
            written.incrementAndGet();
        } catch (IOException | RuntimeException | Error e) {
            fail(e);
        } finally {
            unwritten.release();
        }
    }

    /** The first failure counts; it ends everything. */
    private void fail(Throwable reason) {
        failure.compareAndSet(null, reason);
        sampled.add(Sampled.FAILURE);
    }

    private static void end(ExecutorService writers) {
        writers.shutdown();
        try {
            if (!writers.awaitTermination(SECONDS_TO_END, TimeUnit.SECONDS)) {
                throw new IllegalStateException(
                        "pictures are still being written after %d s".formatted(SECONDS_TO_END));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void throwFailure() throws IOException {
        switch (failure.get()) {
            case null -> {}
            case UncheckedIOException unchecked -> throw unchecked;
            case RuntimeException thrown -> throw thrown;
            case IOException thrown -> throw thrown;
            case Error thrown -> throw thrown;
            case Throwable other -> throw new IllegalStateException(other);
        }
    }
}
