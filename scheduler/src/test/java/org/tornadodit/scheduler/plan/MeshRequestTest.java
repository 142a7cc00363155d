package org.tornadodit.scheduler.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.graph.MeshCost;
import org.tornadodit.scheduler.plan.Mesh.Grain;

class MeshRequestTest {
    private static final DitConfig XL = DitVariant.parse("DiT-XL/2").config(512, 1000);
    private static final Grain GRAIN = new Grain(8, 16, 4);

    private static MeshRequest degrees(int samples, int halves, int heads) {
        MeshRequest request = samples == 0 ? MeshRequest.AUTO : MeshRequest.AUTO.with(Axis.SAMPLES, samples);
        request = halves == 0 ? request : request.with(Axis.HALVES, halves);
        return heads == 0 ? request : request.with(Axis.HEADS, heads);
    }

    private static Mesh choose(MeshRequest request, int samples, int devices) {
        return request.choose(XL, true, samples, devices, GRAIN, mesh -> MeshRequestTest.cost(mesh, samples));
    }

    /** More devices for a sample are faster, and heads cost more than halves; shares of the weights, that have other bits, nothing. */
    private static double cost(Mesh mesh, int samples) {
        if (mesh.tensor() > 1) {
            return 0;
        }
        return (double) Math.ceilDiv(samples, mesh.samples()) / mesh.ranks() + 0.01 * mesh.heads();
    }

    @Test
    void takesTheFastestWhereThereAreFewerSamplesThanDevices() {
        assertEquals(Mesh.ofSamples(4), choose(MeshRequest.AUTO, 4, 4));
        assertEquals(Mesh.ofSamples(2), choose(MeshRequest.AUTO, 8, 2));
        assertEquals(Mesh.ONE.withHalves(2), choose(MeshRequest.AUTO, 1, 2));
        assertEquals(Mesh.ONE.withHalves(2).withHeads(2), choose(MeshRequest.AUTO, 1, 4));
        assertEquals(Mesh.ONE.withSamples(2).withHalves(2), choose(MeshRequest.AUTO, 2, 4));
        assertEquals(Mesh.ofSamples(1), choose(MeshRequest.SAMPLES, 1, 4));
    }

    @Test
    void takesWhatIsAskedForOrSaysWhyNot() {
        assertEquals(Mesh.ONE.withSamples(2).withHalves(2), choose(degrees(0, 2, 0), 8, 4));
        assertEquals(Mesh.ONE.withHeads(4), choose(degrees(0, 0, 4), 8, 4));
        assertEquals(Mesh.ONE.withHalves(2), choose(degrees(1, 2, 0), 8, 4));
        assertRefused(
                "samples 1 x halves 2 x heads 4 wants 8 devices, there are 4; see --devices", degrees(0, 2, 4), 1);
        assertRefused("the model cannot be divided like that: 16 heads in 3 parts", degrees(0, 0, 3), 1);
        assertRefused("--data-parallel-degree is 2, a batch has 1 samples", degrees(2, 0, 0), 1);
    }

    private static void assertRefused(String words, MeshRequest request, int samples) {
        assertEquals(
                words,
                assertThrows(IllegalArgumentException.class, () -> choose(request, samples, 4))
                        .getMessage());
    }

    @Test
    void triesAllProductsOfDegrees() {
        List<Mesh> meshes = MeshRequest.candidates(XL, true, 2, 4, GRAIN);
        assertEquals(meshes.size(), Set.copyOf(meshes).size());
        assertEquals(
                Set.of(
                        "samples 1",
                        "samples 2",
                        "samples 1 x halves 2",
                        "samples 1 x heads 2",
                        "samples 1 x heads 4",
                        "samples 1 x halves 2 x heads 2",
                        "samples 1 x tensor 2",
                        "samples 1 x tensor 4",
                        "samples 1 x halves 2 x tensor 2",
                        "samples 1 x heads 2 x tensor 2",
                        "samples 2 x halves 2",
                        "samples 2 x heads 2",
                        "samples 2 x tensor 2"),
                meshes.stream().map(Mesh::toString).collect(Collectors.toSet()));
    }

    /** What was measured on one H200 before: 1, 2 and 8 guided samples, within 15 %. */
    @Test
    void theModelOfAStepIsCloseToWhatWasMeasured() {
        for (double[] measured : new double[][] {{1, 13.5, 7.7}, {2, 26.4, 11.9}, {8, 105.0, 46.4}}) {
            int samples = (int) measured[0];
            assertClose(measured[1], samples, MatmulPrecision.HIGHEST);
            assertClose(measured[2], samples, MatmulPrecision.HIGH);
        }
    }

    private static void assertClose(double milliseconds, int samples, MatmulPrecision precision) {
        MeshCost cost = Objects.requireNonNull(
                MeshCost.ofHopper(XL, samples, true, 1, precision).get(Mesh.ONE));
        assertEquals(milliseconds, 1e3 * cost.seconds(), 0.15 * milliseconds, samples + " at " + precision);
    }
}
