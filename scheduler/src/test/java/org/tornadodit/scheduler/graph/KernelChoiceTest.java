package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.MmaForm;
import org.tornadodit.kernels.TensorCores;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
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

    /** Of 136 there are more than a work group's memory has room for, of 10 some would be another head's. */
    @Test
    void headSizesThatNoKernelTakesAreRefused() {
        ListedDevice device = TornadoDevices.list().getFirst();
        for (int headSize : new int[] {10, 136}) {
            DitConfig config = new DitConfig(4, 1, 4, 2 * headSize, 1, 2, 4.0, 6, true);
            DeviceUnavailableException refused = assertThrows(
                    DeviceUnavailableException.class, () -> KernelChoice.of(device, config, KernelOptions.DEFAULT));
            assertEquals(
                    "the model's heads have " + headSize
                            + " dimensions: devices' kernels take multiples of 4 up to 128; --device cpu takes any",
                    refused.getMessage());
        }
        DitConfig config = new DitConfig(4, 1, 4, 24, 1, 2, 4.0, 6, true);
        assertEquals(
                Tier.PORTABLE,
                KernelChoice.of(device, config, KernelOptions.DEFAULT)
                        .operations()
                        .tier());
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
