package org.tornadodit.scheduler.run;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.JavaHeap;
import org.tornadodit.scheduler.device.DeviceLink;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.FailedDevices;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.graph.Operations;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.Part.Span;
import org.tornadodit.scheduler.plan.PatchFlow;
import org.tornadodit.scheduler.plan.ShardPlan;
import org.tornadodit.scheduler.plan.ShardPlan.Shard;

/**
 * Devices that take the same samples through each step together, most often one: a unit of work, and of failure. Each has an
 * engine with a {@link Part} of the model, on a thread of its own, the first on the caller's; the latents are on all of them.
 * Within a step they wait for one another on the devices alone, between steps here.
 */
final class Crew implements Stepper {
    private final List<Rank> ranks;
    /** What stands for the devices' arrays where they do not reach each other's; else nothing. */
    private final List<HostLandings> hostLandings = new ArrayList<>();

    private final Optional<String> throughHost;

    /** Whether a device may be at another exchange than the others are: what all were to do did not end on all of them. */
    private boolean parted;

    /** @param thread null for the caller's */
    private record Rank(TornadoEngine engine, @Nullable ExecutorService thread) {}

    /** Makes the engine of a rank, on its device's thread. */
    interface Making {
        TornadoEngine engine(int rank, Link between);
    }

    /** A device of several failed: which. */
    static final class RankFailedException extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient ListedDevice device;

        RankFailedException(ListedDevice device, Throwable cause) {
            super(String.valueOf(cause.getMessage()), cause);
            this.device = device;
        }

        ListedDevice device() {
            return device;
        }
    }

    private Crew(List<Rank> ranks, Optional<String> throughHost) {
        this.ranks = List.copyOf(ranks);
        this.throughHost = throughHost;
    }

    /** One device alone. */
    static Crew of(TornadoEngine engine) {
        return new Crew(List.of(new Rank(engine, null)), Optional.empty());
    }

    /**
     * Loads all devices side by side, and has them take a step together.
     *
     * @param mesh how they divide what they do
     * @param kernels of a rank's device
     * @param making makes the engine of a rank
     * @throws DeviceUnavailableException when the devices reach neither each other's memory nor the host's, or have other kernels
     *     where they exchange what these make
     * @throws RankFailedException when a device fails
     */
    static Crew load(List<ListedDevice> devices, Mesh mesh, IntFunction<Operations> kernels, Making making) {
        if (devices.size() == 1) {
            return of(making.engine(0, Link.PEERS));
        }
        if (mesh.meetsInBlocks() || mesh.owners() > 1) {
            requireSameKernels(devices, kernels);
        }
        DeviceLink link = DeviceLink.of(devices);
        if (!link.exists()) {
            throw refusal(devices, link.reason());
        }
        link.link().refusal(mesh).ifPresent(words -> {
            throw refusal(devices, link.reason() + ", and " + words);
        });
        List<ExecutorService> threads = new ArrayList<>();
        List<Future<TornadoEngine>> loading = new ArrayList<>();
        for (int i = 1; i < devices.size(); i++) {
            int rank = i;
            ExecutorService thread = Executors.newSingleThreadExecutor(Thread.ofPlatform()
                    .daemon()
                    .name("device-" + devices.get(rank).index())
                    .factory());
            threads.add(thread);
            loading.add(thread.submit(() -> making.engine(rank, link.link())));
        }
        List<Rank> made = new ArrayList<>();
        List<@Nullable Throwable> failures = new ArrayList<>();
        for (int i = 0; i < devices.size(); i++) {
            try {
                TornadoEngine engine = i == 0 ? making.engine(0, link.link()) : DeviceWorker.await(loading.get(i - 1));
                made.add(new Rank(engine, i == 0 ? null : threads.get(i - 1)));
                failures.add(null);
            } catch (RuntimeException | Error e) {
                failures.add(e);
            }
        }
        boolean throughHost = link.link() == Link.HOST;
        Crew crew = new Crew(made, throughHost ? Optional.of(link.reason()) : Optional.empty());
        boolean allMade = false;
        try {
            throwFirst(devices, failures);
            allMade = true;
            if (throughHost) {
                crew.allocateLandings(link);
            }
            crew.meet();
            return crew;
        } catch (RuntimeException | Error e) {
            // What failed while they meet is not to be freed, and the others may wait for it; what failed before is
            // none of these.
            if (allMade && e instanceof RankFailedException) {
                crew.abandon();
            } else {
                crew.closeAfter(e);
            }
            threads.forEach(ExecutorService::shutdown);
            throw e;
        }
    }

    /** Operands in each tier's representation go from device to device, and who sends them as they are made has no launch for it. */
    private static void requireSameKernels(List<ListedDevice> devices, IntFunction<Operations> kernels) {
        Operations first = kernels.apply(0);
        for (int rank = 1; rank < devices.size(); rank++) {
            Operations other = kernels.apply(rank);
            if (!other.exchangesWith(first)) {
                throw new DeviceUnavailableException(
                        ("device %d (%s) computes with %s, device %d (%s) with %s, and what these exchange in each block"
                                        + " is not the same: use --kernels portable, or devices of one kind")
                                .formatted(
                                        devices.getFirst().index(),
                                        devices.getFirst().name(),
                                        first.tier().word(),
                                        devices.get(rank).index(),
                                        devices.get(rank).name(),
                                        other.tier().word()));
            }
        }
    }

    private static DeviceUnavailableException refusal(List<ListedDevice> devices, String reason) {
        return new DeviceUnavailableException("devices %s cannot compute one picture together: %s; leave out %s"
                .formatted(numbers(devices), reason, optionsOfCrews()));
    }

    private void allocateLandings(DeviceLink link) {
        try {
            ranks.forEach(rank -> hostLandings.add(rank.engine().hostLandings(link)));
        } catch (DeviceUnavailableException e) {
            throw refusal(ranks.stream().map(rank -> rank.engine().device()).toList(), String.valueOf(e.getMessage()));
        }
    }

    private void meet() {
        all(TornadoEngine::addresses);
        List<TornadoEngine> engines = ranks.stream().map(Rank::engine).toList();
        engines.forEach(engine -> engine.connect(engines, hostLandings));
        each(TornadoEngine::beginFirstStep);
        each(TornadoEngine::firstStep);
        each(TornadoEngine::recordStep);
        each(engine -> engine.decoder()
                .record(engine.decoder().isShared() ? 1 : engine.part().decodedSamples()));
    }

    private static String optionsOfCrews() {
        return Stream.concat(
                        Arrays.stream(Axis.values())
                                .filter(axis -> axis != Axis.SAMPLES)
                                .map(Axis::option),
                        Stream.of(PatchFlow.DEGREE))
                .collect(Collectors.joining(", "));
    }

    private static String numbers(List<ListedDevice> devices) {
        return devices.stream().map(device -> String.valueOf(device.index())).collect(Collectors.joining(", "));
    }

    /** What a part is, in words; nothing of a whole. */
    private static String share(Part part) {
        if (part.isWhole()) {
            return "";
        }
        List<String> axes = new ArrayList<>();
        if (!part.halves().isWhole()) {
            axes.add(part.halves().first() == 0 ? "for the classes" : "for the null class");
        }
        if (part.isStage()) {
            axes.add("blocks %d to %d of %d"
                    .formatted(
                            part.layers().first(),
                            part.layers().first() + part.layers().count() - 1,
                            part.layers().of()));
        }
        if (part.isPatched()) {
            axes.add("patch after patch of %d tokens".formatted(part.tokensAtOnce()));
        }
        if (!part.tokens().isWhole()) {
            axes.add("tokens %d to %d of %d"
                    .formatted(
                            part.tokens().first(),
                            part.tokens().first() + part.tokens().count() - 1,
                            part.tokens().of()));
        }
        if (!part.features().isWhole()) {
            axes.add("share %d of %d of the blocks' weights"
                    .formatted(1 + part.place(Axis.TENSOR), part.mesh().tensor()));
        }
        if (part.sharesWeights()) {
            axes.add("owns %d of %d blocks' weights"
                    .formatted(part.ownLayers().size(), part.layers().count()));
        }
        return ": " + String.join(", ", axes);
    }

    /** A line for each device. */
    List<String> descriptions() {
        return ranks.stream()
                .map(rank -> rank.engine().description() + share(rank.engine().part()))
                .toList();
    }

    @Override
    public void begin(List<List<float[]>> states) {
        each(engine -> engine.begin(states));
    }

    @Override
    public void step(List<SampleStep> samples, List<float[]> noise, int number) {
        if (ranks.size() == 1) {
            ranks.getFirst().engine().step(samples, noise, number);
        } else {
            // While the devices are at the step before. Who has to wait for that, or finds in it what did not fit, does
            // so before any device is given a step that others would wait in.
            each(engine -> engine.prepareStep(samples, noise));
            each(engine -> engine.launchStep(number));
        }
    }

    @Override
    public List<List<float[]>> read(List<Integer> arrays) {
        ranks.getFirst().engine().expectRead();
        each(TornadoEngine::settle);
        return ranks.getFirst().engine().read(arrays);
    }

    /** Latents of some samples as images, shared among the devices. */
    float[] decode(float[] latents, int samples) {
        if (ranks.getFirst().engine().decoder().isShared()) {
            return decodeTogether(latents, samples);
        }
        if (ranks.size() == 1 || samples == 1) {
            return ranks.getFirst().engine().decode(latents, samples);
        }
        int latent = latents.length / samples;
        List<Shard> shards = ShardPlan.even(samples, ranks.size()).shards();
        List<float[]> parts = side(engine -> {
            int rank = engine.part().rank();
            if (rank >= shards.size()) {
                return new float[0];
            }
            Shard shard = shards.get(rank);
            return engine.decode(
                    Arrays.copyOfRange(latents, shard.first() * latent, (shard.first() + shard.count()) * latent),
                    shard.count());
        });
        float[] images = new float[parts.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, images, at, part.length);
            at += part.length;
        }
        return images;
    }

    /** One picture after the other, of each some rows on each device. */
    private float[] decodeTogether(float[] latents, int samples) {
        int latent = latents.length / samples;
        float[] images = new float[0];
        for (int sample = 0; sample < samples; sample++) {
            float[] ofSample = Arrays.copyOfRange(latents, sample * latent, (sample + 1) * latent);
            each(engine -> engine.decoder().prepareOwnRows());
            List<float[]> rows = all(engine -> engine.decoder().decodeOwnRows(ofSample));
            int image = rows.stream().mapToInt(own -> own.length).sum();
            images = sample == 0 ? new float[Math.multiplyExact(samples, image)] : images;
            for (Rank rank : ranks) {
                Span own = rank.engine().decoder().ownPixels();
                float[] pixels = rows.get(rank.engine().part().rank());
                for (int channel = 0; channel < image / own.of(); channel++) {
                    System.arraycopy(
                            pixels,
                            channel * own.count(),
                            images,
                            sample * image + channel * own.of() + own.first(),
                            own.count());
                }
            }
        }
        return images;
    }

    private void each(Consumer<TornadoEngine> task) {
        all(engine -> {
            task.accept(engine);
            return true;
        });
    }

    /**
     * Does something on all devices at once in which they may wait for one another, and returns when all have done it or failed.
     *
     * <p>Who ends otherwise than the others is not where they are: it has come to fewer exchanges, or places predictions where
     * nobody looks for them. Such devices compute nothing together any more, also where the device that failed is well.
     */
    private <T> List<T> all(Function<TornadoEngine, T> task) {
        if (ranks.size() == 1) {
            return List.of(task.apply(ranks.getFirst().engine()));
        }
        if (parted) {
            throw new IllegalStateException("the devices that compute together did not end what they did before");
        }
        parted = true; // whatever comes, be it that Java has no room for an exception
        try {
            List<T> results = side(engine -> {
                try {
                    return task.apply(engine);
                } catch (OverflowException e) { // once all is exchanged
                    throw e;
                } catch (OutOfMemoryError e) {
                    abandonExchanges();
                    throw JavaHeap.tooSmall(e);
                } catch (RuntimeException | Error e) {
                    abandonExchanges();
                    throw e;
                }
            });
            parted = false;
            return results;
        } catch (OverflowException e) { // of nothing else: see throwFirst
            parted = false;
            throw e;
        }
    }

    private void abandonExchanges() {
        ranks.forEach(rank -> rank.engine().abandonExchanges());
    }

    /**
     * Does something on all devices, on each one's own thread, side by side: none waits for another. Returns when all have done it or
     * failed; one that fails with Java's heap has the others as they are.
     */
    private <T> List<T> side(Function<TornadoEngine, T> task) {
        List<FutureTask<T>> tasks = new ArrayList<>();
        for (Rank rank : ranks) {
            FutureTask<T> own = new FutureTask<>(() -> task.apply(rank.engine()));
            tasks.add(own);
            ExecutorService thread = rank.thread();
            if (thread != null) {
                thread.execute(own);
            }
        }
        List<T> results = new ArrayList<>();
        List<@Nullable Throwable> failures = new ArrayList<>();
        for (int i = 0; i < ranks.size(); i++) {
            if (ranks.get(i).thread() == null) { // the first, if it is there: the others are at work by now
                tasks.get(i).run();
            }
            try {
                results.add(DeviceWorker.await(tasks.get(i)));
                failures.add(null);
            } catch (RuntimeException | Error e) {
                failures.add(e);
            }
        }
        throwFirst(ranks.stream().map(rank -> rank.engine().device()).toList(), failures);
        return results;
    }

    /** A device's own failure before that of those who waited for it, and a value that does not fit behind both. */
    private static void throwFirst(List<ListedDevice> devices, List<@Nullable Throwable> failures) {
        int first = -1;
        for (int i = 0; i < failures.size(); i++) {
            if (failures.get(i) != null && (first < 0 || weight(failures.get(i)) > weight(failures.get(first)))) {
                first = i;
            }
        }
        if (first < 0) {
            return;
        }
        Throwable failure = Objects.requireNonNull(failures.get(first));
        for (int i = 0; i < failures.size(); i++) {
            Throwable other = failures.get(i);
            if (other != null && !other.equals(failure)) { // both may have failed with what they share
                failure.addSuppressed(other);
            }
        }
        if (failure instanceof OverflowException
                || failure instanceof DeviceUnavailableException
                || failure instanceof CancellationException) {
            throw (RuntimeException) failure;
        }
        if (failure instanceof OutOfMemoryError heap) {
            throw heap;
        }
        throw new RankFailedException(devices.get(first), failure);
    }

    private static int weight(@Nullable Throwable failure) {
        return failure instanceof OverflowException ? 0 : isOfAnother(failure) ? 1 : 2;
    }

    /** Whether a device failed only because another did. */
    private static boolean isOfAnother(@Nullable Throwable failure) {
        return failure instanceof PeerLostException
                || (failure != null && String.valueOf(failure.getMessage()).contains("no signal from another device"));
    }

    /** Bytes that each virtual device has got from the others. */
    List<Long> bytesReceived() {
        return ranks.stream().map(rank -> rank.engine().bytesReceived()).toList();
    }

    /** Why the devices exchange through the host's memory, where they do. */
    Optional<String> throughHost() {
        return throughHost;
    }

    /** Which devices these are, in words. */
    String numbers() {
        return numbers(ranks.stream().map(rank -> rank.engine().device()).toList());
    }

    /** Bytes of the host's memory that are locked for the exchanges. */
    long hostBytes() {
        return hostLandings.stream().mapToLong(HostLandings::bytes).sum();
    }

    /** Leaves the devices as they are, and the host's memory that their kernels may still use: see {@link FailedDevices}. */
    void abandon() {
        ranks.forEach(rank -> {
            rank.engine().abandon();
            ExecutorService thread = rank.thread();
            if (thread != null) {
                thread.shutdownNow();
            }
        });
    }

    private void closeAfter(Throwable failure) {
        try {
            close();
        } catch (RuntimeException | Error e) {
            failure.addSuppressed(e);
        }
    }

    /** Releases the devices' memory. */
    void close() {
        try {
            side(engine -> {
                engine.close();
                return true;
            });
            hostLandings.forEach(HostLandings::close);
        } finally {
            ranks.forEach(rank -> {
                ExecutorService thread = rank.thread();
                if (thread != null) {
                    thread.shutdown();
                }
            });
        }
    }
}
