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
 * @param together whether devices may compute a sample together where no degree is asked for
 */
public record MeshRequest(Map<Axis, Integer> degrees, OptionalInt microBatches, boolean together) {

    /** The fastest that there is. */
    public static final MeshRequest AUTO = new MeshRequest(Map.of(), OptionalInt.empty(), true);

    /** Each device has samples of its own. */
    public static final MeshRequest SAMPLES = new MeshRequest(Map.of(), OptionalInt.empty(), false);

    public MeshRequest {
        degrees = Map.copyOf(degrees);
    }

    /** As well, a degree of an axis. */
    public MeshRequest with(Axis axis, int degree) {
        Map<Axis, Integer> more = new EnumMap<>(Axis.class);
        more.putAll(degrees);
        more.put(axis, degree);
        return new MeshRequest(more, microBatches, together);
    }

    /** As well, a number of micro-batches. */
    public MeshRequest withMicroBatches(int number) {
        return new MeshRequest(degrees, OptionalInt.of(number), together);
    }

    /** Whether a degree is asked for. */
    public boolean isExplicit() {
        return !degrees.isEmpty() || microBatches.isPresent();
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
                .filter(mesh -> mesh.exactness() == Exactness.SAME_BITS)
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
        Mesh crew = new Mesh(degrees, microBatches.orElse(1)).crew();
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

    /** All meshes that a model, a batch and so many devices allow, with one micro-batch. */
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
                .filter(mesh -> mesh.refusal(config, guided, grain).isEmpty())
                .toList();
    }
}
