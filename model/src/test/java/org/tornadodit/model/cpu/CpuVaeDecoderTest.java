package org.tornadodit.model.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.RandomCheckpoint;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;

/** What must hold for any weights. */
class CpuVaeDecoderTest {

    private static final VaeConfig CONFIG = new VaeConfig(List.of(8, 12, 16), 1, 4, 3, 4, 1e-6, 0.25, true, true);
    private static final VaeWeights WEIGHTS =
            VaeWeights.load(new RandomCheckpoint(VaeWeights.specs(CONFIG), 1), CONFIG);
    private static final int LATENT = 4 * 6 * 6;
    private static final int IMAGE = 3 * 24 * 24;

    private final float[] latents = Randoms.normal(3 * LATENT, 2);

    private static float[] decode(CpuOptions options, float[] latents, int n) {
        try (CpuVaeDecoder decoder = new CpuVaeDecoder(CONFIG, WEIGHTS, options)) {
            return decoder.decode(latents, n);
        }
    }

    @Test
    void neitherBatchNorThreadsNorKeptWeightsChangeABit() {
        float[] together = decode(new CpuOptions(2, 1 << 24), latents, 3);
        assertEquals(3 * IMAGE, together.length);
        assertArrayEquals(together, decode(new CpuOptions(1, 1 << 24), latents, 3));
        assertArrayEquals(together, decode(new CpuOptions(5, 0), latents, 3));
        float[] last = decode(new CpuOptions(2, 0), Arrays.copyOfRange(latents, 2 * LATENT, 3 * LATENT), 1);
        assertArrayEquals(Arrays.copyOfRange(together, 2 * IMAGE, 3 * IMAGE), last);
    }

    @Test
    void dividesByTheScalingFactor() {
        VaeConfig plain = new VaeConfig(List.of(8, 12, 16), 1, 4, 3, 4, 1e-6, 1, true, true);
        float[] divided = latents.clone();
        for (int i = 0; i < divided.length; i++) {
            divided[i] /= 0.25f;
        }
        try (CpuVaeDecoder decoder = new CpuVaeDecoder(plain, WEIGHTS, new CpuOptions(2, 0))) {
            assertArrayEquals(decode(new CpuOptions(2, 0), latents, 3), decoder.decode(divided, 3));
        }
    }

    @Test
    void runsWithoutPostQuantConvAndAttention() {
        VaeConfig bare = new VaeConfig(List.of(8), 2, 2, 1, 8, 1e-6, 1, false, false);
        VaeWeights weights = VaeWeights.load(new RandomCheckpoint(VaeWeights.specs(bare), 3), bare);
        try (CpuVaeDecoder decoder = new CpuVaeDecoder(bare, weights, new CpuOptions(2, 0))) {
            float[] image = decoder.decode(Randoms.normal(2 * 3 * 5, 4), 1, 3, 5);
            assertEquals(3 * 5, image.length);
            for (float value : image) {
                assertEquals(value, value, "not a number");
            }
        }
    }

    @Test
    void saysWhatDoesNotFit() {
        IllegalArgumentException thrown =
                assertThrows(IllegalArgumentException.class, () -> decode(new CpuOptions(1, 0), latents, 2));
        assertEquals("432 values, expected 2 latents of 4 x 7 x 7", thrown.getMessage());
    }
}
