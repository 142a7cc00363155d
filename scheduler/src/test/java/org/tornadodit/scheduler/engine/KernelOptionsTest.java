package org.tornadodit.scheduler.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;

class KernelOptionsTest {
    private static final KernelOptions HIGH = new KernelOptions(MatmulPrecision.HIGH, Tier.TENSOR);

    @Test
    void aSmallModelHasThreeProductsAtAnyPrecision() {
        DitConfig demo = new DitConfig(16, 2, 4, 288, 6, 4, 4.0, 80, true);
        KernelOptions given = HIGH.forModel(demo);
        assertEquals(MatmulPrecision.HIGHEST, given.precision());
        assertEquals(Tier.TENSOR, given.tier());
        assertSame(Tuning.NONE, given.tuning());
    }

    @Test
    void aLargeModelHasWhatWasAsked() {
        DitConfig xl2 = new DitConfig(64, 2, 4, 1152, 28, 16, 4.0, 1000, true);
        assertSame(HIGH, HIGH.forModel(xl2));
        assertSame(KernelOptions.DEFAULT, KernelOptions.DEFAULT.forModel(xl2));
    }
}
