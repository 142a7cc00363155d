package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.runner.output.ImageGrid;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.run.TornadoEngine;

/** The whole sampling loop through the GPU's graphs and kernels, on the host, against PyTorch's PNG. */
class TornadoPictureTest {
    private static final Path DATA = CommandLineRun.ROOT.resolve("reference/data");
    private static final Path SAMPLING = DATA.resolve("sampling");

    /** Channel values that may differ by one level: those that lie within float32's error of a half level. */
    private static final double MOST_OFF_BY_ONE = 1e-3;

    @Test
    void thePictureIsPyTorchs() throws IOException {
        SamplingRequest request = new SamplingRequest(
                List.of(0, 1, 2, 3, 4, 5, 0, 1), SamplingMethod.DDPM.of("10", 0), 4.0, Guidance.FIRST_THREE);
        DitConfig config = DitConfig.fromJson(SAMPLING.resolve("config.json"));
        VaeConfig vaeConfig = VaeConfig.fromJson(DATA.resolve("vae-tiny"));
        try (Checkpoint weights = Checkpoints.open(SAMPLING.resolve("checkpoint.pt"));
                Checkpoint vae = Checkpoints.openVae(DATA.resolve("vae-tiny"));
                TornadoEngine engine = new TornadoEngine(
                        TornadoDevices.list().getFirst(),
                        "picture_",
                        config,
                        DitWeights.load(weights, config),
                        vaeConfig,
                        VaeWeights.load(vae, vaeConfig),
                        request,
                        false,
                        KernelOptions.DEFAULT)) {
            float[] latents = engine.sample(request, TorchRandn.cuda(0), (done, now) -> {});
            BufferedImage grid = ImageGrid.of(engine.decode(latents, 8), 8, config.imageSize());
            assertSamePicture(
                    grid, ImageIO.read(SAMPLING.resolve("ddpm-3/sample.png").toFile()));
        }
    }

    private static void assertSamePicture(BufferedImage actual, BufferedImage expected) {
        assertTrue(
                actual.getWidth() == expected.getWidth() && actual.getHeight() == expected.getHeight(),
                actual.getWidth() + " x " + actual.getHeight());
        int off = 0;
        int largest = 0;
        for (int y = 0; y < expected.getHeight(); y++) {
            for (int x = 0; x < expected.getWidth(); x++) {
                for (int shift = 0; shift <= 16; shift += 8) {
                    int difference =
                            Math.abs((actual.getRGB(x, y) >> shift & 255) - (expected.getRGB(x, y) >> shift & 255));
                    off += difference > 0 ? 1 : 0;
                    largest = Math.max(largest, difference);
                }
            }
        }
        double share = (double) off / expected.getWidth() / expected.getHeight() / 3;
        String found = "%d values differ (%.2e of all), by at most %d".formatted(off, share, largest);
        System.out.println("sample.png: " + found);
        assertTrue(share <= MOST_OFF_BY_ONE && largest <= 1, found);
    }
}
