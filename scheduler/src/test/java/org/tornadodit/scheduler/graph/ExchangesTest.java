package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.plan.Mesh;
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

    private static int patience(DitConfig config, Mesh mesh, int samples) {
        IntArray link = new IntArray(Exchange.LINK);
        Exchanges.describe(link, config, mesh.part(config, samples, true, 1), new PortableOperations(Tuning.NONE));
        return Exchange.patience(link);
    }
}
