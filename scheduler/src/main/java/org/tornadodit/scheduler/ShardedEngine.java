package org.tornadodit.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.ShardPlan.Shard;
import org.tornadodit.scheduler.TornadoDevices.Listed;
import org.tornadodit.scheduler.TornadoEngine.HostWeights;

/**
 * A batch divided among devices, each with an engine and a thread of its own; nothing passes between them. The latents
 * and pictures are those of one device, bit for bit. Compilation is one device after the other, sampling in parallel.
 */
public final class ShardedEngine implements Engine {

    /** A device at work: TornadoVM wants all of a plan's calls from one thread. */
    private record Worker(Shard shard, Listed device, ExecutorService thread, TornadoEngine engine) {}

    private final DitConfig config;
    private final VaeConfig vaeConfig;
    private final List<Worker> workers = new ArrayList<>();
    private double[] seconds = {};

    /**
     * Loads the model on every device that gets samples.
     *
     * @param devices equal devices
     * @param shape a batch as all batches will be
     * @param hostNoise see {@link TornadoEngine}
     * @param kernels which kernels
     * @throws DeviceUnavailableException when a device has too little memory
     */
    public ShardedEngine(
            List<Listed> devices,
            DitConfig config,
            DitWeights weights,
            VaeConfig vaeConfig,
            VaeWeights vaeWeights,
            SamplingRequest shape,
            boolean hostNoise,
            KernelOptions kernels) {
        this.config = config;
        this.vaeConfig = vaeConfig;
        List<Shard> shards = ShardPlan.even(shape.samples(), devices.size()).shards();
        int most = shards.getFirst().count(); // of even shares the first is the largest
        HostWeights shared = HostWeights.of(config, weights, vaeConfig, vaeWeights, devices.getFirst(), most, kernels);
        try {
            for (Shard shard : shards) {
                Listed device = devices.get(shard.device());
                ExecutorService thread = Executors.newSingleThreadExecutor(task -> Thread.ofPlatform()
                        .daemon()
                        .name("device-" + device.index())
                        .unstarted(task));
                SamplingRequest ofShard = part(shape, shard);
                String context = "d" + shard.device() + "_";
                TornadoEngine engine = await(thread.submit(
                        () -> new TornadoEngine(device, context, config, shared, vaeConfig, ofShard, hostNoise)));
                workers.add(new Worker(shard, device, thread, engine));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private static SamplingRequest part(SamplingRequest request, Shard shard) {
        return new SamplingRequest(
                request.labels().subList(shard.first(), shard.first() + shard.count()),
                request.diffusion(),
                request.sampler(),
                request.eta(),
                request.cfgScale(),
                request.guidance());
    }

    @Override
    public String description() {
        return workers.stream()
                .map(worker -> "%s: samples %d to %d"
                        .formatted(
                                worker.engine().description(),
                                worker.shard().first(),
                                worker.shard().first() + worker.shard().count() - 1))
                .collect(Collectors.joining(System.lineSeparator()));
    }

    @Override
    public float[] sample(SamplingRequest request, NoiseStream noise, StepListener listener) {
        int samples =
                workers.stream().mapToInt(worker -> worker.shard().count()).sum();
        if (request.samples() != samples) {
            throw new IllegalArgumentException(
                    "the engine was made for %d samples, not %d".formatted(samples, request.samples()));
        }
        int elements = config.inputElements();
        BatchNoise batch =
                new BatchNoise(noise, samples, elements, request.diffusion().steps(), workers.size());
        SlowestStep slowest = new SlowestStep(workers.size(), listener);
        seconds = new double[workers.size()];
        float[] latents = new float[samples * elements];
        inParallel((worker, index, stop) -> {
            long start = System.nanoTime();
            float[] ofShard = worker.engine()
                    .sample(part(request, worker.shard()), worker.shard(), noise, batch, (done, now) -> {
                        if (stop.get()) {
                            throw new CancellationException("another device failed");
                        }
                        slowest.done(index, done);
                    });
            System.arraycopy(ofShard, 0, latents, worker.shard().first() * elements, ofShard.length);
            seconds[index] = (System.nanoTime() - start) / 1e9;
        });
        batch.finish();
        return latents;
    }

    @Override
    public float[] decode(float[] latents, int samples) {
        int latent = config.inputElements();
        int image = vaeConfig.outChannels() * config.imageSize() * config.imageSize();
        float[] images = new float[Math.multiplyExact(samples, image)];
        inParallel((worker, index, stop) -> {
            Shard shard = worker.shard();
            float[] slice =
                    Arrays.copyOfRange(latents, shard.first() * latent, (shard.first() + shard.count()) * latent);
            float[] decoded = worker.engine().decode(slice, shard.count());
            System.arraycopy(decoded, 0, images, shard.first() * image, decoded.length);
        });
        return images;
    }

    /** Seconds that each device took for its shard of the last batch, and by how much the slowest exceeds the mean. */
    public String balance() {
        double mean = Arrays.stream(seconds).average().orElse(0);
        double most = Arrays.stream(seconds).max().orElse(0);
        String each = Arrays.stream(seconds)
                .mapToObj(s -> String.format(Locale.ROOT, "%.3f", s))
                .collect(Collectors.joining(", "));
        return String.format(
                Locale.ROOT, "devices took %s s; imbalance %.1f %%", each, mean == 0 ? 0 : 100 * (most / mean - 1));
    }

    private interface Work {
        void run(Worker worker, int index, AtomicBoolean stop);
    }

    /** Gives every device its work; when one fails, the others stop after their step, and the first failure is thrown. */
    private void inParallel(Work work) {
        AtomicBoolean stop = new AtomicBoolean();
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < workers.size(); i++) {
            int index = i;
            Worker worker = workers.get(i);
            running.add(worker.thread().submit(() -> {
                try {
                    work.run(worker, index, stop);
                } catch (RuntimeException e) {
                    if (!stop.getAndSet(true)) {
                        throw new IllegalStateException("device " + worker.device() + ": " + e.getMessage(), e);
                    }
                    throw e;
                }
            }));
        }
        RuntimeException first = null;
        for (Future<?> future : running) {
            try {
                await(future);
            } catch (RuntimeException e) {
                if (first == null || first instanceof CancellationException) {
                    first = e;
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }

    private static <T> T await(Future<T> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        }
    }

    @Override
    public void close() {
        for (Worker worker : workers) {
            Callable<Void> release = () -> {
                worker.engine().close();
                return null;
            };
            await(worker.thread().submit(release));
            worker.thread().shutdown();
        }
        workers.clear();
    }

    /** Tells the listener how far the slowest shard is. */
    private static final class SlowestStep {
        private final int[] steps;
        private final StepListener listener;
        private int told;

        SlowestStep(int shards, StepListener listener) {
            this.steps = new int[shards];
            this.listener = listener;
        }

        synchronized void done(int shard, int step) {
            steps[shard] = step;
            int least = Arrays.stream(steps).min().orElse(0);
            if (least > told) {
                told = least;
                listener.stepDone(least, () -> {
                    throw new UnsupportedOperationException("devices are at different steps");
                });
            }
        }
    }
}
