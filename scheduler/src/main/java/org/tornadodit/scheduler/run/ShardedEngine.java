package org.tornadodit.scheduler.run;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.KernelCompiler;
import org.tornadodit.model.ByteCount;
import org.tornadodit.model.JavaHeap;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.noise.CudaNoise;
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
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.graph.MeshCost;
import org.tornadodit.scheduler.graph.Operations;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.ShardPlan;
import org.tornadodit.scheduler.plan.ShardPlan.Shard;
import org.tornadodit.scheduler.run.Crew.RankFailedException;
import org.tornadodit.scheduler.run.SharedPass.Verdict;
import org.tornadodit.scheduler.run.SharedPass.Verdict.Scope;
import org.tornadodit.scheduler.run.TornadoEngine.HostWeights;

/**
 * Batches divided among crews of devices, most often of one, each with a thread of its own; nothing passes between crews. The
 * latents and pictures are those of one device, bit for bit. Devices are loaded side by side. Several threads may use it, see
 * {@link SharedPass}.
 *
 * <p>Below, a device is a crew. One that fails is taken out, and the others go on with its samples as soon as they have places, from the
 * latents that were kept last: the pictures stay the same. See {@link FaultPolicy}.
 */
public final class ShardedEngine implements Engine {
    private static final Logger LOG = System.getLogger(ShardedEngine.class.getName());

    private final DitConfig config;
    private final VaeConfig vaeConfig;
    private final FaultPolicy policy;
    /** Samples of a largest batch. */
    private final int most;

    private final boolean guided;
    private final boolean hostNoise;
    private final List<WorkerSpeed> workers = new ArrayList<>();
    /** Of the workers, in their order. */
    private final List<Lane> lanes = new ArrayList<>();
    /** Null until all devices are loaded. */
    private @Nullable SharedPass pass;

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
     * @throws CancellationException when the thread is interrupted, once what was loaded is released
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
        this.guided = shape.guided();
        this.hostNoise = hostNoise;
        // Reads what is known of kernels, while the weights are read.
        Thread.ofPlatform().daemon().start(KernelCompiler.fromClassPath()::prepare);
        Map<String, HostWeights> shared = new ConcurrentHashMap<>(); // equal devices take the same
        Mesh mesh = team.mesh();
        Function<ListedDevice, Operations> operations =
                device -> KernelChoice.of(device, config, kernels).operations();
        Making making = (device, rank, count, first, between) -> {
            // Before memory is counted: what is not possible has no sizes.
            mesh.refusal(config, shape.guided(), operations.apply(device).grain())
                    .ifPresent(reason -> {
                        throw new DeviceUnavailableException("the model cannot be divided like that: " + reason);
                    });
            Part part = mesh.part(config, count, shape.guided(), rank);
            HostWeights ofKind = shared.computeIfAbsent(device.backend() + device.name(), any -> {
                try (Startup.Running running = startup.begin(device.label(), "weights")) {
                    return HostWeights.of(config, weights, vaeConfig, vaeWeights, device, part, between, kernels);
                }
            });
            SamplingRequest ofShard = shape.part(first, count);
            return new TornadoEngine(
                    device,
                    "d" + device.index() + "_",
                    config,
                    ofKind,
                    vaeConfig,
                    ofShard,
                    part,
                    between,
                    hostNoise,
                    startup);
        };
        DeviceTeam rest = team; // those that were not tried yet
        while (rest != null && loaded() < most) {
            rest = loadTogether(rest, operations, making);
        }
        for (WorkerSpeed each : workers) {
            DeviceWorker worker = each.worker();
            lanes.add(new Lane(worker.capacity(), each.speed(), worker::execute, worker::crew));
        }
        List<String> kinds = shared.values().stream()
                .map(ofKind -> ofKind.choice().operations().kind())
                .distinct()
                .sorted()
                .toList();
        if (kinds.size() > 1) {
            policy.report()
                    .accept("devices of different kinds (" + String.join("; ", kinds)
                            + "): bits of a picture may differ with the device that makes it");
        }
        shared.values().stream()
                .findFirst()
                .ifPresent(any -> tellThroughHost(shape, mesh, any.choice().operations()));
        pass = new SharedPass(config, lanes, policy.keepSteps(), policy.keepSeconds(), hostNoise, this::failed);
    }

    /** What it costs that devices exchange through the host's memory, where some do. */
    private void tellThroughHost(SamplingRequest shape, Mesh mesh, Operations operations) {
        List<Crew> crews = workers.stream()
                .map(each -> each.worker().crew())
                .filter(crew -> crew.throughHost().isPresent())
                .toList();
        if (crews.isEmpty()) {
            return;
        }
        MeshCost cost = MeshCost.of(config, mesh, shape.samples(), shape.guided(), operations, Link.HOST);
        MeshCost ofPeers = MeshCost.of(config, mesh, shape.samples(), shape.guided(), operations, Link.PEERS);
        policy.report()
                .accept(String.format(
                        Locale.ROOT,
                        "devices %s exchange through the host's memory: %s. Each sends up to %s a step, for which a"
                                + " step should take %.1f ms more than between devices that reach each other (at PCIe"
                                + " 4.0's rate); %s of the host's memory are locked",
                        crews.stream().map(Crew::numbers).collect(Collectors.joining("; ")),
                        crews.getFirst().throughHost().orElse(""),
                        ByteCount.of(cost.sent()),
                        1e3 * (cost.seconds() - ofPeers.seconds()),
                        ByteCount.of(crews.stream().mapToLong(Crew::hostBytes).sum())));
    }

    /** Makes a device's engine for some samples, on the device's thread. */
    private interface Making {
        TornadoEngine engine(ListedDevice device, int rank, int count, int first, Link between);
    }

    /** A device that is being loaded. */
    private record Loading(DeviceWorker worker, double speed, Future<?> future) {
        /**
         * Waits, also on a thread that is interrupted: what is still being made could be closed by nobody.
         *
         * @return whether the thread was interrupted meanwhile
         */
        boolean awaitEnd() {
            boolean interrupted = false;
            while (!future.isDone()) {
                try {
                    future.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    LOG.log(Level.DEBUG, "for later", e);
                }
            }
            return interrupted;
        }
    }

    /**
     * Loads all devices that get samples, side by side; returns those that are left over when some fail, null for none.
     */
    private @Nullable DeviceTeam loadTogether(
            DeviceTeam team, Function<ListedDevice, Operations> kernels, Making making) {
        List<Loading> loadings = new ArrayList<>();
        Set<Integer> tried = new HashSet<>();
        int base = loaded();
        for (Shard shard : team.plan(most - base).shards()) {
            List<ListedDevice> crew = team.crew(shard.device());
            int first = base + shard.first();
            DeviceWorker worker = new DeviceWorker(new Shard(crew.getFirst().index(), first, shard.count()), crew);
            loadings.add(new Loading(
                    worker,
                    team.speed(shard.device()),
                    worker.load(() -> Crew.load(
                            crew,
                            team.mesh(),
                            rank -> kernels.apply(crew.get(rank)),
                            (rank, between) -> making.engine(crew.get(rank), rank, shard.count(), first, between)))));
            tried.add(shard.device());
        }
        boolean interrupted = false;
        for (Loading each : loadings) { // none is closed while another one's engine is being made
            interrupted |= each.awaitEnd();
        }
        if (interrupted) {
            closeAll(loadings);
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        }
        int left = team.mesh().samples();
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
                throw JavaHeap.tooSmall(e);
            } catch (RuntimeException | Error e) {
                worker.markFailed();
                worker.close();
                String line = line(worker, "loading", e);
                if (workers.size() + left == 0 || policy.failFast()) {
                    closeAll(loadings);
                    throw new DeviceFailedException(line, e);
                }
                reportLeft(line, workers.size() + left);
            }
        }
        return team.without(tried);
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

    private static String line(DeviceWorker worker, String stage, Throwable failure) {
        return failure instanceof RankFailedException rank && rank.getCause() != null
                ? DeviceFailedException.line(rank.device(), stage, rank.getCause())
                : DeviceFailedException.line(worker.device(), stage, failure);
    }

    private void reportLeft(String line, int left) {
        policy.report().accept(line + "; its samples go to the " + left + " left");
    }

    @Override
    public String description() {
        return workers.stream()
                .map(WorkerSpeed::worker)
                .filter(worker -> !worker.failed())
                .flatMap(worker -> worker.crew().descriptions().stream()
                        .map(line -> workers.size() == 1
                                ? line
                                : "%s: samples %d to %d"
                                        .formatted(
                                                line,
                                                worker.shard().first(),
                                                worker.shard().first()
                                                        + worker.shard().count()
                                                        - 1)))
                .collect(Collectors.joining(System.lineSeparator()));
    }

    @Override
    public float[] sample(SamplingRequest request, NoiseStream noise, SamplingState from, StepListener listener) {
        requireRoom(request, noise);
        return pass().sample(request, noise, from, listener);
    }

    private void requireRoom(SamplingRequest request, NoiseStream noise) {
        if (request.samples() > most) {
            throw new IllegalArgumentException(
                    "the engine was made for up to %d samples, not %d".formatted(most, request.samples()));
        }
        if (request.guided() && !guided) {
            throw new IllegalArgumentException("the engine was made for unguided samples, guidance is "
                    + request.cfgScale() + "; it has to be 1, or the engine another");
        }
        if (noise instanceof CudaNoise == hostNoise) {
            throw new IllegalArgumentException("the engine was made for noise from the %s, not %s"
                    .formatted(hostNoise ? "host" : "device", noise.getClass().getSimpleName()));
        }
    }

    private SharedPass pass() {
        SharedPass made = pass;
        if (made == null) {
            throw new IllegalStateException("the engine is not loaded");
        }
        return made;
    }

    /** A run of images that a device decodes. */
    private record Decoding(Shard images, Future<float[]> result) {}

    /** Thrown for what a device could not decode, and others can. */
    private static final class LostException extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @Override
    public float[] decode(float[] latents, int count) {
        int latent = config.inputElements();
        int side = config.inputSize() * vaeConfig.upsampling();
        int image = vaeConfig.outChannels() * side * side;
        int elements = Math.multiplyExact(count, image);
        Deque<Decoding> running = new ArrayDeque<>(decoding(latents, 0, count));
        float[] images = running.size() == 1 ? new float[0] : new float[elements];
        while (!running.isEmpty()) {
            Decoding next = running.removeFirst();
            Shard part = next.images();
            try {
                float[] decoded = DeviceWorker.await(next.result());
                if (decoded.length == elements) { // all of them, from one device
                    return decoded;
                }
                images = images.length == 0 ? new float[elements] : images;
                System.arraycopy(decoded, 0, images, part.first() * image, part.count() * image);
            } catch (LostException e) {
                running.addAll(decoding(
                        Arrays.copyOfRange(latents, part.first() * latent, (part.first() + part.count()) * latent),
                        part.first(),
                        part.count()));
            } catch (RuntimeException | Error e) {
                running.forEach(each -> each.result().cancel(false));
                throw e;
            }
        }
        return images;
    }

    /**
     * Has the devices decode images, between the steps that they are in.
     *
     * @param latents of these images alone
     * @param first of a call's images
     */
    private List<Decoding> decoding(float[] latents, int first, int count) {
        if (devices() == 0) {
            throw new IllegalStateException("all devices failed");
        }
        int latent = config.inputElements();
        List<Decoding> result = new ArrayList<>();
        for (Shard shard : plan(count).shards()) {
            int lane = shard.device();
            float[] slice =
                    Arrays.copyOfRange(latents, shard.first() * latent, (shard.first() + shard.count()) * latent);
            result.add(new Decoding(
                    new Shard(lane, first + shard.first(), shard.count()),
                    workers.get(lane).worker().submit(() -> decodeHere(lane, slice, shard.count()))));
        }
        return result;
    }

    /** On the device's thread. */
    private float[] decodeHere(int lane, float[] latents, int count) {
        DeviceWorker worker = workers.get(lane).worker();
        if (worker.failed()) {
            throw new LostException();
        }
        try {
            float[] decoded = worker.crew().decode(latents, count);
            return ReturnedValues.requireFinite(
                    decoded, decoded.length, () -> OverflowException.ofDecoder(OverflowException.IMAGES));
        } catch (OverflowException e) {
            throw e; // the model's, on any device
        } catch (OutOfMemoryError e) {
            throw JavaHeap.tooSmall(e);
        } catch (RuntimeException | Error e) {
            Verdict verdict = failed(worker, "decoding", count, e);
            pass().lost(lanes.get(lane), verdict);
            if (verdict.scope() == Scope.ALL && verdict.reason() instanceof RuntimeException all) {
                throw all;
            }
            throw new LostException();
        }
    }

    /** Who does which samples, of the devices that have not failed. */
    private ShardPlan plan(int count) {
        return ShardPlan.weighted(
                count,
                workers.stream()
                        .mapToDouble(each -> each.worker().failed() ? 0 : each.speed())
                        .toArray());
    }

    /**
     * Seconds that each device has been sampling since the engine was idle last, and by how much the slowest exceeds the
     * mean.
     */
    public String balance() {
        double[] seconds = lanes.stream().mapToDouble(Lane::seconds).toArray();
        double mean = Arrays.stream(seconds).average().orElse(0);
        double slowest = Arrays.stream(seconds).max().orElse(0);
        String each = IntStream.range(0, seconds.length)
                .mapToObj(i -> String.format(
                        Locale.ROOT,
                        "%.3f%s",
                        seconds[i],
                        workers.get(i).worker().failed() ? " (failed)" : ""))
                .collect(Collectors.joining(", "));
        return String.format(
                Locale.ROOT, "devices took %s s; imbalance %.1f %%", each, mean == 0 ? 0 : 100 * (slowest / mean - 1));
    }

    /** Bytes that each virtual device has got from the others of its crew, crew after crew. */
    List<Long> bytesReceived() {
        return workers.stream()
                .flatMap(each -> each.worker().crew().bytesReceived().stream())
                .toList();
    }

    /** Devices that are at work; those that failed are not. */
    public int devices() {
        return (int) workers.stream().filter(each -> !each.worker().failed()).count();
    }

    /** What follows when a device fails in a step; on its thread. */
    private Verdict failed(Lane lane, List<RunningSample> rest, Throwable failure) {
        if (failure instanceof OutOfMemoryError heap) {
            return new Verdict(Scope.PASS, JavaHeap.tooSmall(heap));
        }
        IntSummaryStatistics steps = rest.stream().mapToInt(RunningSample::done).summaryStatistics();
        String where = rest.isEmpty()
                ? ""
                : steps.getMin() == steps.getMax()
                        ? ", after step " + steps.getMin()
                        : ", after steps %d to %d".formatted(steps.getMin(), steps.getMax());
        return failed(workers.get(lanes.indexOf(lane)).worker(), "sampling" + where, rest.size(), failure);
    }

    /** @param samples that others have to do */
    private synchronized Verdict failed(DeviceWorker worker, String stage, int samples, Throwable failure) {
        worker.markFailed();
        String line = line(worker, stage, failure);
        int left = devices();
        if (left == 0 || policy.failFast()) {
            return new Verdict(Scope.ALL, new DeviceFailedException(line, failure));
        }
        if (samples > 0) {
            reportLeft(line, left);
        }
        return new Verdict(Scope.LANE, failure);
    }

    @Override
    public void close() {
        SharedPass made = pass;
        if (made != null) {
            made.close();
        }
        workers.forEach(each -> each.worker().close());
    }
}
