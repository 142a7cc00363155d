package org.tornadodit.runner.output;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

class DecodedBatchTest {
    private static final int SIZE = 4;
    private static final int IMAGE = 3 * SIZE * SIZE;

    /** Gives latents back as images, and notes how many it was asked for. */
    private static final class Echo implements Engine {
        final List<Integer> calls = new ArrayList<>();

        @Override
        public float[] decode(float[] latents, int samples) {
            assertEquals(samples * IMAGE, latents.length);
            calls.add(samples);
            return latents;
        }

        @Override
        public float[] sample(SamplingRequest request, NoiseStream noise, SamplingState from, StepListener listener) {
            throw new UnsupportedOperationException();
        }

        @Override
        public String description() {
            return "echo";
        }

        @Override
        public void close() {}
    }

    @Test
    void portionsMakeTheSameGrid() {
        int count = 7;
        SplittableRandom random = new SplittableRandom(3);
        float[] latents = new float[count * IMAGE];
        for (int i = 0; i < latents.length; i++) {
            latents[i] = (float) random.nextDouble(-1.2, 1.2);
        }
        int[] expected = pixels(ImageGrid.of(latents, count, SIZE));
        for (int portion = 1; portion <= count + 1; portion++) {
            Echo engine = new Echo();
            DecodedBatch decoded = DecodedBatch.of(engine, latents, count, SIZE, 4, portion);
            assertArrayEquals(expected, pixels(decoded.picture()), "portions of " + portion);
            assertEquals(Math.ceilDiv(count, portion), engine.calls.size());
            int most = portion;
            assertTrue(engine.calls.stream().allMatch(n -> n <= most), engine.calls.toString());
        }
    }

    private static int[] pixels(BufferedImage picture) {
        return picture.getRGB(0, 0, picture.getWidth(), picture.getHeight(), null, 0, picture.getWidth());
    }
}
