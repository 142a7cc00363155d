package org.tornadodit.scheduler.run;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.KernelCompiler;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.device.DeviceFailedException;
import org.tornadodit.scheduler.device.DeviceFullException;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.FaultPolicy;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.Startup;
import org.tornadodit.scheduler.engine.StepListener;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.Portion;
import org.tornadodit.scheduler.plan.Portions;
import org.tornadodit.scheduler.plan.ShardPlan;
import org.tornadodit.scheduler.plan.ShardPlan.Shard;
import org.tornadodit.scheduler.run.BatchProgress.ListenerFailure;
import org.tornadodit.scheduler.run.TornadoEngine.HostWeights;

/**
 * A batch divided among devices, each with an engine and a thread of its own; nothing passes between them. The latents
 * and pictures are those of one device, bit for bit. Devices are loaded side by side.
 *
 * <p>A device that fails is taken out, and what it had to do is done by the others when they are done with their own,
 * from the latents that were kept last: the pictures stay the same. See {@link FaultPolicy}.
 */
public final class ShardedEngine implements Engine {
    private static final Logger LOG = System.getLogger(ShardedEngine.class.getName());

    private final DitConfig config;
    private final VaeConfig vaeConfig;
    private final FaultPolicy policy;
    /** Samples of a largest batch. */
    private final int most;

    private final List<WorkerSpeed> workers = new ArrayList<>();

    private record WorkerSpeed(DeviceWorker worker, double speed) {}

    /**
     * Loads the model on every device that gets samples, side by side. When one fails, or others hold its memory, devices
     * that had none get its samples; without such, the loaded ones do them in addition.
     *
     * @param shape a largest batch: no other will have more samples, or be guided where it is not
     * @param hostNoise see {@link TornadoEngine}
     * @param kernels which kernels
     * @throws DeviceUnavailableException when a device is too small, or none is left that has enough memory free
     * @throws DeviceFailedException when no device is left, or the first fails that may not
     */
    public ShardedEngine(
            DeviceTeam team,
            DitConfig config,
            DitWeights weights,
            VaeConfig vaeConfig,
            VaeWeights vaeWeights,
            SamplingRequest shape,
            boolean hostNoise,
            KernelOptions kernels) {
        this(team, config, weights, vaeConfig, vaeWeights, shape, hostNoise, kernels, Startup.silent());
    }

    /** As above, telling what is done. */
    public ShardedEngine(
            DeviceTeam team,
            DitConfig config,
            DitWeights weights,
            VaeConfig vaeConfig,
            VaeWeights vaeWeights,
            SamplingRequest shape,
            boolean hostNoise,
            KernelOptions kernels,
            Startup startup) {
        this.config = config;
        this.vaeConfig = vaeConfig;
        this.policy = team.policy();
        this.most = shape.samples();
        // Reads what is known of kernels, while the weights are read.
        Thread.ofPlatform().daemon().start(KernelCompiler.fromClassPath()::prepare);
        Map<String, HostWeights> shared = new ConcurrentHashMap<>(); // equal devices take the same
        Making making = (device, count, first) -> {
            HostWeights ofKind = shared.computeIfAbsent(device.backend() + device.name(), any -> {
                try (Startup.Running running = startup.begin(device.label(), "weights")) {
                    return HostWeights.of(
                            config,
                            weights,
                            vaeConfig,
                            vaeWeights,
                            device,
                            Part.of(config, count, shape.guided()),
                            kernels);
                }
            });
            SamplingRequest ofShard = shape.part(first, count);
            return new TornadoEngine(
                    device, "d" + device.index() + "_", config, ofKind, vaeConfig, ofShard, hostNoise, startup);
        };
        DeviceTeam rest = team; // those that were not tried yet
        while (rest != null && loaded() < most) {
            rest = loadTogether(rest, making);
        }
    }

    /** Makes a device's engine for some samples, on the device's thread. */
    private interface Making {
        TornadoEngine engine(ListedDevice device, int count, int first);
    }

    /** A device that is being loaded. */
    private record Loading(DeviceWorker worker, double speed, Future<?> future) {
        void awaitEnd() {
            try {
                DeviceWorker.await(future);
            } catch (CancellationException e) {
                if (!future.isDone()) {
                    throw e; // interrupted
                }
            } catch (RuntimeException | Error e) {
                LOG.log(Level.DEBUG, "for later", e);
            }
        }
    }

    /**
     * Loads all devices that get samples, side by side; returns those that are left over when some fail, null for none.
     */
    private @Nullable DeviceTeam loadTogether(DeviceTeam team, Making making) {
        List<Loading> loadings = new ArrayList<>();
        int base = loaded();
        int last = 0;
        for (Shard shard : team.plan(most - base).shards()) {
            ListedDevice device = team.devices().get(shard.device());
            int first = base + shard.first();
            DeviceWorker worker = new DeviceWorker(new Shard(device.index(), first, shard.count()), device);
            loadings.add(new Loading(
                    worker,
                    team.speeds().get(shard.device()),
                    worker.load(() -> making.engine(device, shard.count(), first))));
            last = Math.max(last, shard.device());
        }
        loadings.forEach(Loading::awaitEnd); // none is closed while another one's engine is being made
        int left = loadings.size() + team.devices().size() - 1 - last;
        for (Loading each : loadings) {
            DeviceWorker worker = each.worker();
            left--;
            try {
                DeviceWorker.await(each.future());
                workers.add(new WorkerSpeed(worker, each.speed()));
            } catch (DeviceFullException e) { // nothing was allocated: the device is well
                worker.close();
                if (workers.size() + left == 0 || policy.failFast()) {
                    closeAll(loadings);
                    throw e;
                }
                reportLeft(String.valueOf(e.getMessage()), workers.size() + left);
            } catch (DeviceUnavailableException | OverflowException | CancellationException e) {
                worker.close();
                closeAll(loadings);
                throw e;
            } catch (OutOfMemoryError e) {
                worker.close();
                closeAll(loadings);
                throw heapTooSmall(e);
            } catch (RuntimeException | Error e) {
                worker.markFailed();
                worker.close();
                String line = DeviceFailedException.line(worker.device(), "loading", e);
                if (workers.size() + left == 0 || policy.failFast()) {
                    closeAll(loadings);
                    throw new DeviceFailedException(line, e);
                }
                reportLeft(line, workers.size() + left);
            }
        }
        return team.behind(last);
    }

    /** Closes what was loaded; what has failed to load is left as it is. */
    private void closeAll(List<Loading> loadings) {
        for (Loading each : loadings) {
            boolean added = workers.stream().anyMatch(worker -> worker.worker() == each.worker());
            if (added) {
                continue;
            }
            if (each.future().state() == Future.State.FAILED
                    && !(each.future().exceptionNow() instanceof DeviceUnavailableException)
                    && !(each.future().exceptionNow() instanceof OverflowException)
                    && !(each.future().exceptionNow() instanceof OutOfMemoryError)) {
                each.worker().markFailed();
            }
            each.worker().close();
        }
        close();
    }

    /** Samples that devices were loaded for; the others, of a device that failed, are done by these in addition. */
    private int loaded() {
        return workers.stream().mapToInt(each -> each.worker().shard().count()).sum();
    }

    private void reportLeft(String line, int left) {
        policy.report().accept(line + "; its samples go to the " + left + " left");
    }

    @Override
    public String description() {
        return workers.stream()
                .map(WorkerSpeed::worker)
                .filter(worker -> !worker.failed())
                .map(worker -> workers.size() == 1
                        ? worker.engine().description()
                        : "%s: samples %d to %d"
                                .formatted(
                                        worker.engine().description(),
                                        worker.shard().first(),
                                        worker.shard().first() + worker.shard().count() - 1))
                .collect(Collectors.joining(System.lineSeparator()));
    }

    @Override
    public float[] sample(SamplingRequest request, NoiseStream noise, SamplingState from, StepListener listener) {
        int samples = request.samples();
        if (samples > most) {
            throw new IllegalArgumentException(
                    "the engine was made for up to %d samples, not %d".formatted(most, samples));
        }
        int elements = config.inputElements();
        from.requireFits(request, samples * elements);
        if (!from.arrays().stream().allMatch(array -> ReturnedValues.areFinite(array, array.length))) {
            throw OverflowException.ofFloat(OverflowException.STATE, from.done());
        }
        BatchNoise batch = new BatchNoise(noise, request, elements);
        BatchProgress progress = new BatchProgress(listener, samples, elements, from.done());
        float[] latents = new float[samples * elements];
        Portion whole = new Portion(0, samples, from);
        List<@Nullable Portion> own = new ArrayList<>(Collections.nCopies(workers.size(), null));
        Portions portionsOfBatch = new Portions(samples);
        // Devices were loaded for what they get of a largest batch, and get as much or less of a smaller one; a device
        // that failed gets none, and what is too much for the others waits until they are done with theirs.
        for (Shard shard : plan(samples).shards()) {
            int count =
                    Math.min(shard.count(), workers.get(shard.device()).worker().capacity());
            own.set(shard.device(), whole.part(shard.first(), count));
            if (count < shard.count()) {
                portionsOfBatch.add(whole.part(shard.first() + count, shard.count() - count));
            }
        }
        share(portionsOfBatch, own, "sampling", (worker, portion, kept, portions) -> {
            progress.back(portion);
            SamplingRequest ofPortion = request.part(portion.first(), portion.count());
            int wanted = portion.count() * elements;
            float[] done = worker.engine().sample(ofPortion, portion, noise, batch, (step, now) -> {
                if (portions.isStopped()) {
                    throw new CancellationException("another device failed, or the run was stopped");
                }
                boolean keep = step % policy.keepSteps() == 0;
                boolean gather = progress.wants(step);
                SamplingState state = keep || gather ? finite(now.get(), wanted) : new SamplingState(step, List.of());
                if (keep) {
                    kept.accept(portion.at(state));
                }
                progress.done(portion, gather ? state : new SamplingState(step, List.of()));
            });
            System.arraycopy(finite(done, wanted, request.steps()), 0, latents, portion.first() * elements, wanted);
        });
        batch.finish();
        return latents;
    }

    @Override
    public float[] decode(float[] latents, int count) {
        int latent = config.inputElements();
        int side = config.inputSize() * vaeConfig.upsampling();
        int image = vaeConfig.outChannels() * side * side;
        float[] images = new float[Math.multiplyExact(count, image)];
        Work decoding = (worker, portion, kept, portions) -> {
            int first = portion.first();
            float[] slice = Arrays.copyOfRange(latents, first * latent, (first + portion.count()) * latent);
            float[] decoded = worker.engine().decode(slice, portion.count());
            float[] finite = ReturnedValues.requireFinite(
                    decoded, decoded.length, () -> OverflowException.ofDecoder(OverflowException.IMAGES));
            System.arraycopy(finite, 0, images, first * image, decoded.length);
        };
        for (WorkerSpeed each : workers) {
            if (each.worker().isCurrentThread()) { // a listener's wish, in the middle of sampling
                decoding.run(
                        each.worker(), new Portion(0, count, SamplingState.START), ignored -> {}, new Portions(count));
                return images;
            }
        }
        List<@Nullable Portion> own = new ArrayList<>(Collections.nCopies(workers.size(), null));
        for (Shard shard : plan(count).shards()) {
            own.set(shard.device(), new Portion(shard.first(), shard.count(), SamplingState.START));
        }
        share(new Portions(count), own, "decoding", decoding);
        return images;
    }

    /** Who does which samples, of the devices that have not failed. */
    private ShardPlan plan(int count) {
        return ShardPlan.weighted(
                count,
                workers.stream()
                        .mapToDouble(each -> each.worker().failed() ? 0 : each.speed())
                        .toArray());
    }

    private static SamplingState finite(SamplingState state, int wanted) {
        return new SamplingState(
                state.done(),
                state.arrays().stream()
                        .map(array -> finite(array, wanted, state.done()))
                        .toList());
    }

    private static float[] finite(float[] latents, int wanted, int step) {
        return ReturnedValues.requireFinite(
                latents, wanted, () -> OverflowException.ofFloat(OverflowException.LATENTS, step));
    }

    /** Seconds that each device took for its part of the last batch, and by how much the slowest exceeds the mean. */
    public String balance() {
        double[] seconds =
                workers.stream().mapToDouble(each -> each.worker().seconds()).toArray();
        double mean = Arrays.stream(seconds).average().orElse(0);
        double most = Arrays.stream(seconds).max().orElse(0);
        String each = workers.stream()
                .map(WorkerSpeed::worker)
                .map(worker ->
                        String.format(Locale.ROOT, "%.3f%s", worker.seconds(), worker.failed() ? " (failed)" : ""))
                .collect(Collectors.joining(", "));
        return String.format(
                Locale.ROOT, "devices took %s s; imbalance %.1f %%", each, mean == 0 ? 0 : 100 * (most / mean - 1));
    }

    /** Devices that are at work; those that failed are not. */
    public int devices() {
        return (int) workers.stream().filter(each -> !each.worker().failed()).count();
    }

    private interface Work {
        /** @param kept takes what the portion has become, for others to go on from */
        void run(DeviceWorker worker, Portion portion, Consumer<Portion> kept, Portions portions);
    }

    /**
     * Gives every device its work, and then what others could not finish.
     *
     * @param portions what is nobody's own
     * @param own portion of each device; null for none
     */
    private void share(Portions portions, List<? extends @Nullable Portion> own, String stage, Work work) {
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < workers.size(); i++) {
            DeviceWorker worker = workers.get(i).worker();
            Portion first = own.get(i);
            if (!worker.failed()) {
                running.add(worker.submit(() -> work(worker, first, portions, stage, work)));
            } else if (first != null) {
                portions.add(first);
            }
        }
        if (running.isEmpty()) {
            throw new IllegalStateException("all devices failed");
        }
        try {
            running.forEach(DeviceWorker::await);
        } catch (RuntimeException | Error e) {
            portions.stop(new CancellationException("stopped"));
            throw e;
        }
        portions.requireNotStopped();
    }

    /** On a device's thread. */
    private void work(DeviceWorker worker, @Nullable Portion own, Portions portions, String stage, Work work) {
        worker.setSeconds(0);
        try {
            Portion portion = own != null ? own : portions.take(worker.capacity());
            while (portion != null) {
                Portion[] kept = {portion};
                long start = System.nanoTime();
                try {
                    work.run(worker, portion, later -> kept[0] = later, portions);
                } catch (ListenerFailure e) {
                    portions.stop(e.failure());
                    return;
                } catch (OverflowException e) {
                    portions.stop(e); // the model's, on any device
                    return;
                } catch (RuntimeException | Error e) {
                    if (!portions.isStopped()) {
                        failed(worker, kept[0], portions, stage, e);
                    } else if (!(e instanceof CancellationException || e instanceof OutOfMemoryError)) {
                        worker.markFailed(); // a second one, behind the failure that ended the run
                    }
                    return;
                } finally {
                    worker.setSeconds(worker.seconds() + (System.nanoTime() - start) / 1e9);
                }
                portions.finished(portion);
                portion = portions.take(worker.capacity());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            portions.stop(new CancellationException("interrupted"));
        }
    }

    private synchronized void failed(
            DeviceWorker worker, Portion rest, Portions portions, String stage, Throwable failure) {
        if (failure instanceof OutOfMemoryError heap) {
            portions.stop(heapTooSmall(heap));
            return;
        }
        worker.markFailed();
        String what = stage.equals("sampling")
                ? stage + ", after step " + rest.state().done()
                : stage;
        String line = DeviceFailedException.line(worker.device(), what, failure);
        int left = devices();
        if (left == 0 || policy.failFast()) {
            portions.stop(new DeviceFailedException(line, failure));
            return;
        }
        policy.report()
                .accept("%s; samples %d to %d go to the %d left"
                        .formatted(line, rest.first(), rest.first() + rest.count() - 1, left));
        portions.add(rest);
    }

    private static IllegalStateException heapTooSmall(OutOfMemoryError e) {
        return new IllegalStateException(
                "Java's heap is too small (" + e.getMessage() + "); give more with DIT_JVM_OPTS=-Xmx...", e);
    }

    @Override
    public void close() {
        workers.forEach(each -> each.worker().close());
        workers.clear();
    }
}
