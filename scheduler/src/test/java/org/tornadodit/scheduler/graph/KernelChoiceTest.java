package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Tuning;

class KernelChoiceTest {
    private static final KernelOptions HIGH = new KernelOptions(MatmulPrecision.HIGH, Tier.WGMMA);

    @Test
    void aSmallModelHasThreeProductsAtAnyPrecision() {
        DitConfig demo = new DitConfig(16, 2, 4, 288, 6, 4, 4.0, 80, true);
        KernelOptions given = KernelChoice.forModel(demo, HIGH);
        assertEquals(MatmulPrecision.HIGHEST, given.precision());
        assertEquals(Tier.WGMMA, given.tier());
        assertSame(Tuning.NONE, given.tuning());
    }

    @Test
    void aLargeModelHasWhatWasAsked() {
        DitConfig xl2 = new DitConfig(64, 2, 4, 1152, 28, 16, 4.0, 1000, true);
        assertSame(HIGH, KernelChoice.forModel(xl2, HIGH));
        assertSame(KernelOptions.DEFAULT, KernelChoice.forModel(xl2, KernelOptions.DEFAULT));
    }
}
