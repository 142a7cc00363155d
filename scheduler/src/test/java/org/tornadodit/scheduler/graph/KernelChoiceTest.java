package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.MmaForm;
import org.tornadodit.kernels.TensorCores;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Tuning;

class KernelChoiceTest {
    private static final KernelOptions HIGHER = new KernelOptions(MatmulPrecision.HIGHER, Tier.WGMMA);
    private static final KernelOptions HIGH = new KernelOptions(MatmulPrecision.HIGH, Tier.WGMMA);

    @Test
    void aSmallModelHasThreeProductsAtAnyPrecision() {
        DitConfig demo = new DitConfig(16, 2, 4, 288, 6, 4, 4.0, 80, true);
        KernelOptions given = KernelChoice.forModel(demo, HIGH);
        assertEquals(MatmulPrecision.HIGHEST, given.precision());
        assertEquals(Tier.WGMMA, given.tier());
        assertEquals(
                MatmulPrecision.HIGHEST, KernelChoice.forModel(demo, HIGHER).precision());
        assertSame(Tuning.NONE, given.tuning());
    }

    @Test
    void aLargeModelHasWhatWasAsked() {
        DitConfig xl2 = new DitConfig(64, 2, 4, 1152, 28, 16, 4.0, 1000, true);
        assertSame(HIGH, KernelChoice.forModel(xl2, HIGH));
        assertSame(KernelOptions.DEFAULT, KernelChoice.forModel(xl2, KernelOptions.DEFAULT));
        assertSame(HIGHER, KernelChoice.forModel(xl2, HIGHER));
    }

    /** FP8's instructions take 32 k. */
    @Test
    void sizesThatFp8DoesNotTakeHaveThreeProducts() {
        DitConfig odd = new DitConfig(64, 2, 4, 1200, 28, 15, 4.0, 1000, true);
        assertEquals(MatmulPrecision.HIGHEST, KernelChoice.forModel(odd, HIGHER).precision());
        assertSame(HIGH, KernelChoice.forModel(odd, HIGH));
    }

    @Test
    void warpsHaveThreeProductsInPlaceOfFp8s() {
        TensorCores warps = TensorCores.Warps.of(MmaForm.AMPERE, 132, 8, 0);
        TensorOperations given = new TensorOperations(MatmulPrecision.HIGHER, warps, Tuning.NONE);
        assertEquals(MatmulPrecision.HIGHEST, given.precision());
    }
}
