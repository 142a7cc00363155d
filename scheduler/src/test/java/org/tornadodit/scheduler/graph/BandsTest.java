package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.Batch;
import org.tornadodit.kernels.DecoderRun;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.graph.Bands.Band;
import org.tornadodit.scheduler.plan.Link;

class BandsTest {
    /** Stable Diffusion's. */
    private static final VaeConfig VAE =
            new VaeConfig(List.of(128, 256, 512, 512), 2, 4, 3, 32, 1e-6, 0.18215, true, true);

    @ParameterizedTest
    @CsvSource({"32, 2", "64, 2", "64, 3", "64, 4", "64, 8", "128, 7"})
    void ownRowsAreAPartitionInWholePartsOfStatistics(int latentSize, int ranks) {
        for (int size = latentSize; size <= 8 * latentSize; size *= 2) {
            int next = 0;
            int nextPart = 0;
            for (int rank = 0; rank < ranks; rank++) {
                Band band = Bands.of(VAE, latentSize, ranks, rank).at(size);
                if (band.isWhole()) {
                    next = size;
                    nextPart = band.allParts();
                    continue;
                }
                assertEquals(next, band.own());
                assertEquals(nextPart, band.partsBefore());
                int perPart = size * size / band.allParts();
                assertEquals(band.ownPixels(), band.ownParts() * perPart);
                assertTrue(band.first() % 2 == 0 && band.height() % 2 == 0, band.toString());
                next += band.ownHeight();
                nextPart += band.ownParts();
            }
            assertEquals(size, next);
            assertEquals(Band.whole(size).allParts(), nextPart);
        }
    }

    /** Each 3 x 3 convolution spoils a row at a cut edge: what is left are the rows that the next size, and the picture, need. */
    @Test
    void halosAreAsWideAsTheConvolutionsNeed() {
        Bands bands = Bands.of(VAE, 64, 4, 1);
        int spoiled = 1 + 2 * VAE.resnetsPerUpBlock();
        assertTrue(bands.at(64).isWhole());
        for (int size = 128; size < 512; size *= 2) {
            Band band = bands.at(size);
            Band read = bands.before(size);
            assertTrue(band.first() + spoiled <= read.first(), band + " " + read);
            assertTrue(band.first() + band.height() - spoiled >= read.first() + read.height(), band + " " + read);
        }
        Band last = bands.last();
        assertTrue(last.first() + spoiled + 1 <= last.own(), last.toString());
        assertTrue(last.first() + last.height() - spoiled - 1 >= last.own() + last.ownHeight(), last.toString());
    }

    /** One picture of 512 pixels a side, and of 256: how much less each device has to do than one alone. docs/multi-gpu.md has it. */
    @ParameterizedTest
    @CsvSource({"64, 2, 1.69", "64, 4, 2.43", "64, 8, 3.36", "32, 2, 1.58"})
    void devicesHaveAShareOfTheOperations(int latentSize, int ranks, double less) {
        double alone = Count.ofDecoder(VAE, latentSize, 1).flops();
        double most = 0;
        for (int rank = 0; rank < ranks; rank++) {
            Bands bands = Bands.of(VAE, latentSize, ranks, rank);
            Count divided = Count.ofDecoder(bands, VAE, latentSize, 1, DecoderTier.PORTABLE, Link.PEERS);
            most = Math.max(most, divided.flops());
        }
        assertEquals(less, alone / most, 0.005);
    }

    @Test
    void statisticsAreAllThatIsSent() {
        assertEquals(19L * 64 * 32 * 2 * Float.BYTES, Bands.of(VAE, 64, 2, 1).bytesSent(VAE));
    }

    /** An exchange takes a run of the decoder for a batch: it has as many boxes as there are images. */
    @Test
    void aRunHasItsImagesWhereABatchHasItsPasses() {
        assertEquals(Batch.PASSES, DecoderRun.IMAGES);
    }

    @Test
    void smallPicturesAreLeftToOneDevice() {
        assertTrue(Bands.pays(VAE, 64));
        assertFalse(Bands.pays(VAE, 32));
    }

    @Test
    void leavesWholeWhatHasTooFewRows() {
        assertFalse(Bands.of(VAE, 2, 8, 0).isDivided());
        VaeConfig oddGroups = new VaeConfig(List.of(9, 9), 1, 4, 3, 3, 1e-6, 0.5, true, false);
        assertFalse(Bands.of(oddGroups, 64, 2, 0).isDivided());
        assertFalse(Bands.of(VAE, 5, 2, 1).isDivided());
    }
}
