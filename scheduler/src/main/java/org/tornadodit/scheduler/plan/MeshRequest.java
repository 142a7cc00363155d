package org.tornadodit.scheduler.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.ToDoubleFunction;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.plan.Mesh.Grain;

/**
 * How a user wants a run divided: degrees that are asked for, or none.
 *
 * @param samples crews; empty for as many as there are devices and samples for
 * @param halves empty where nothing is said
 * @param heads empty where nothing is said
 * @param together whether devices may compute a sample together where no degree is asked for
 */
public record MeshRequest(OptionalInt samples, OptionalInt halves, OptionalInt heads, boolean together) {

    /** The fastest that there is. */
    public static final MeshRequest AUTO =
            new MeshRequest(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), true);

    /** Each device has samples of its own. */
    public static final MeshRequest SAMPLES =
            new MeshRequest(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), false);

    /** Whether a degree is asked for. */
    public boolean isExplicit() {
        return samples.isPresent() || halves.isPresent() || heads.isPresent();
    }

    /**
     * The mesh.
     *
     * @param most samples of a batch
     * @param devices that there are
     * @param step what a step of a mesh takes, in any measure
     * @throws IllegalArgumentException when what is asked for is not possible, with the reason
     */
    public Mesh choose(
            DitConfig config, boolean guided, int most, int devices, Grain grain, ToDoubleFunction<Mesh> step) {
        if (isExplicit()) {
            return asked(config, guided, most, devices, grain);
        }
        Mesh samplesAlone = Mesh.ofSamples(Math.min(most, devices));
        if (!together || most >= devices) {
            return samplesAlone;
        }
        return candidates(config, guided, most, devices, grain).stream()
                .min(Comparator.comparingDouble(step).thenComparing(Mesh::devices))
                .orElse(samplesAlone);
    }

    private Mesh asked(DitConfig config, boolean guided, int most, int devices, Grain grain) {
        int ranks = Math.multiplyExact(halves.orElse(1), heads.orElse(1));
        int crews = samples.orElse(Math.clamp(devices / Math.max(1, ranks), 1, most));
        Mesh mesh = new Mesh(crews, halves.orElse(1), heads.orElse(1));
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
                    "--data-parallel-degree is %d, a batch has %d samples".formatted(crews, most));
        }
        return mesh;
    }

    /** All meshes that a model, a batch and so many devices allow. */
    public static List<Mesh> candidates(DitConfig config, boolean guided, int most, int devices, Grain grain) {
        List<Mesh> meshes = new ArrayList<>();
        for (int crews = 1; crews <= Math.min(most, devices); crews++) {
            for (int halves = 1; halves <= 2; halves++) {
                for (int heads = 1; crews * halves * heads <= devices; heads++) {
                    Mesh mesh = new Mesh(crews, halves, heads);
                    if (mesh.refusal(config, guided, grain).isEmpty()) {
                        meshes.add(mesh);
                    }
                }
            }
        }
        return meshes;
    }
}
