package org.tornadodit.scheduler.plan;

import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.plan.Axis.Exactness;
import org.tornadodit.scheduler.plan.Mesh.Grain;

/**
 * How a user wants a run divided: degrees that are asked for, or none.
 *
 * @param degrees of the axes of which something is said
 * @param microBatches that go through stages one behind the other; empty for as many as should be the fastest
 * @param owners devices that share the weights; empty where nothing is said
 * @param flow patches that go through stages; empty for none
 * @param together whether devices may compute a sample together where no degree is asked for
 */
public record MeshRequest(
        Map<Axis, Integer> degrees,
        OptionalInt microBatches,
        OptionalInt owners,
        Optional<PatchFlow> flow,
        boolean together) {

    /** The fastest that there is. */
    public static final MeshRequest AUTO =
            new MeshRequest(Map.of(), OptionalInt.empty(), OptionalInt.empty(), Optional.empty(), true);

    /** Each device has samples of its own. */
    public static final MeshRequest SAMPLES =
            new MeshRequest(Map.of(), OptionalInt.empty(), OptionalInt.empty(), Optional.empty(), false);

    public MeshRequest {
        degrees = Map.copyOf(degrees);
    }

    /** As well, a degree of an axis. */
    public MeshRequest with(Axis axis, int degree) {
        Map<Axis, Integer> more = new EnumMap<>(Axis.class);
        more.putAll(degrees);
        more.put(axis, degree);
        return new MeshRequest(more, microBatches, owners, flow, together);
    }

    /** As well, a number of micro-batches. */
    public MeshRequest withMicroBatches(int number) {
        return new MeshRequest(degrees, OptionalInt.of(number), owners, flow, together);
    }

    /** As well, how many devices share the weights. */
    public MeshRequest withOwners(int number) {
        return new MeshRequest(degrees, microBatches, OptionalInt.of(number), flow, together);
    }

    /** As well, patches. */
    public MeshRequest withFlow(PatchFlow patches) {
        return new MeshRequest(degrees, microBatches, owners, Optional.of(patches), together);
    }

    /** Whether a degree is asked for. */
    public boolean isExplicit() {
        return !degrees.isEmpty() || microBatches.isPresent() || owners.isPresent() || flow.isPresent();
    }

    /**
     * The mesh. Where no degree is asked for, one with the bits of one device.
     *
     * @param most samples of a batch
     * @param devices that there are
     * @param step what a step of a mesh takes, in any measure
     * @throws IllegalArgumentException when what is asked for is not possible, with the reason
     */
    public Mesh choose(
            DitConfig config, boolean guided, int most, int devices, Grain grain, ToDoubleFunction<Mesh> step) {
        if (isExplicit()) {
            return asked(config, guided, most, devices, grain, step);
        }
        Mesh samplesAlone = Mesh.ofSamples(Math.min(most, devices));
        if (!together || most >= devices) {
            return samplesAlone;
        }
        Stream<Mesh> exact = candidates(config, guided, most, devices, grain).stream()
                .filter(mesh -> mesh.exactness() == Exactness.SAME_BITS && mesh.owners() == 1)
                .flatMap(mesh -> mesh.divided(most, guided).stream());
        return fastest(exact, step).orElse(samplesAlone);
    }

    private record Timed(Mesh mesh, double step) {}

    /** Of several that take as long, that of the fewest devices, then the first. */
    private static Optional<Mesh> fastest(Stream<Mesh> meshes, ToDoubleFunction<Mesh> step) {
        return meshes.map(mesh -> new Timed(mesh, step.applyAsDouble(mesh)))
                .min(Comparator.comparingDouble(Timed::step)
                        .thenComparing(timed -> timed.mesh().devices()))
                .map(Timed::mesh);
    }

    private Mesh asked(
            DitConfig config, boolean guided, int most, int devices, Grain grain, ToDoubleFunction<Mesh> step) {
        Mesh crew =
                new Mesh(degrees, microBatches.orElse(1), owners.orElse(1), flow.orElse(PatchFlow.NONE)).crew();
        if (crew.owners() > 1 && crew.ranks() == 1) {
            crew = dividedForOwners(config, guided, most, devices, grain, step, crew);
        }
        int crews = degrees.getOrDefault(Axis.SAMPLES, Math.clamp(devices / crew.ranks(), 1, most));
        Mesh mesh = crew.withSamples(crews);
        Optional<String> refusal = mesh.refusal(config, guided, grain);
        if (refusal.isPresent()) {
            throw new IllegalArgumentException("the model cannot be divided like that: " + refusal.get());
        }
        if (mesh.devices() > devices) {
            throw new IllegalArgumentException(
                    "%s wants %d devices, there are %d; see --devices".formatted(mesh, mesh.devices(), devices));
        }
        if (crews > most) {
            throw new IllegalArgumentException(
                    "%s is %d, a batch has %d samples".formatted(Axis.SAMPLES.option(), crews, most));
        }
        int passes = mesh.mostPasses(most, guided);
        if (mesh.microBatches() > passes) {
            throw new IllegalArgumentException("%s is %d, the model has %d passes for a crew's samples"
                    .formatted(Mesh.MICRO_BATCHES, mesh.microBatches(), passes));
        }
        return microBatches.isPresent()
                ? mesh
                : fastest(mesh.divided(most, guided).stream(), step).orElse(mesh);
    }

    /** Where it is not said what devices that share the weights divide besides: what is the fastest of them. */
    private static Mesh dividedForOwners(
            DitConfig config,
            boolean guided,
            int most,
            int devices,
            Grain grain,
            ToDoubleFunction<Mesh> step,
            Mesh crew) {
        Stream<Mesh> all = candidates(config, guided, most, Math.min(devices, crew.owners()), grain).stream()
                .filter(mesh -> mesh.samples() == 1 && mesh.owners() == crew.owners());
        if (devices < crew.owners()) {
            throw new IllegalArgumentException(
                    "%s %d is for %d devices that compute a sample together, there are %d; see --devices"
                            .formatted(Mesh.OWNERS, crew.owners(), crew.owners(), devices));
        }
        return fastest(all, step)
                .orElseThrow(() -> new IllegalArgumentException(
                        "%s %d: the model cannot be divided among %d devices that have all blocks; give another number"
                                .formatted(Mesh.OWNERS, crew.owners(), crew.owners())));
    }

    /**
     * All meshes that a model, a batch and so many devices allow, with one micro-batch; all devices of a sample share its weights, or
     * none.
     */
    public static List<Mesh> candidates(DitConfig config, boolean guided, int most, int devices, Grain grain) {
        List<Mesh> meshes = List.of(Mesh.ONE);
        for (Axis axis : Axis.values()) {
            meshes = meshes.stream()
                    .flatMap(mesh -> IntStream.rangeClosed(1, devices / mesh.devices())
                            .mapToObj(degree -> mesh.with(axis, degree)))
                    .filter(mesh -> mesh.samples() <= most && mesh.ranks() <= Mesh.MOST_RANKS)
                    .toList();
        }
        return meshes.stream()
                .flatMap(mesh -> Stream.of(mesh, mesh.withOwners(mesh.ranks())))
                .distinct()
                .filter(mesh -> mesh.refusal(config, guided, grain).isEmpty())
                .toList();
    }
}
