package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.PatchFlow;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class ExchangesTest {

    /** One picture's step is 1.8e12 operations, 256 pictures' 470e12; of a crew that has a half of guidance each as well. */
    @Test
    void devicesWaitLongerForOthersThatHaveMoreToDo() {
        DitConfig xl = DitVariant.parse("DiT-XL/2").config(512, 1000);
        assertEquals(11, patience(xl, Mesh.ONE.withStages(2), 1));
        assertEquals(477, patience(xl, Mesh.ONE.withStages(2), 256));
        assertEquals(477, patience(xl, Mesh.ONE.withHalves(2), 256));
        assertEquals(600, patience(xl, Mesh.ONE.withHeads(2), 512));
    }

    /** Of small models and all ways of two to eight devices: what is not refused can be exchanged. */
    @Test
    void whatAMeshDoesNotRefuseHasBoxes() {
        List<Mesh> meshes = new ArrayList<>();
        for (int parts = 2; parts <= 4; parts++) {
            for (Axis axis : Axis.values()) {
                for (Axis other : Axis.values()) {
                    Mesh one = Mesh.ONE.with(axis, parts);
                    meshes.add(axis == other ? one : one.with(other, 2));
                }
            }
            meshes.add(Mesh.ONE.withStages(2).withFlow(new PatchFlow(parts, 1)));
        }
        int described = 0;
        for (int side = 2; side <= 8; side++) {
            for (int channels = 1; channels <= 4; channels++) {
                for (int width : new int[] {32, 36, 48}) {
                    DitConfig config = new DitConfig(side, 1, channels, width, 4, width / 12, 2.0, 6, false);
                    described += describe(config, meshes, new PortableOperations(Tuning.NONE));
                    if (TensorOperations.refusal(config).isEmpty()) {
                        described +=
                                describe(config, meshes, new TensorOperations(MatmulPrecision.HIGH, 2, Tuning.NONE));
                    }
                }
            }
        }
        assertTrue(described > 1000, described + " described");
    }

    private static int describe(DitConfig config, List<Mesh> meshes, Operations operations) {
        int described = 0;
        for (Mesh mesh : meshes) {
            if (mesh.ranks() > 1
                    && mesh.refusal(config, true, operations.grain()).isEmpty()) {
                for (int rank = 0; rank < mesh.ranks(); rank++) {
                    Part part = mesh.part(config, 3, true, rank);
                    IntArray link = new IntArray(Exchange.LINK);
                    assertDoesNotThrow(
                            () -> Exchanges.describe(link, config, part, operations), mesh + " of " + config);
                    described++;
                }
            }
        }
        return described;
    }

    private static int patience(DitConfig config, Mesh mesh, int samples) {
        IntArray link = new IntArray(Exchange.LINK);
        Exchanges.describe(link, config, mesh.part(config, samples, true, 1), new PortableOperations(Tuning.NONE));
        return Exchange.patience(link);
    }
}
