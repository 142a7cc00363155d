package org.tornadodit.runner.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.pipeline.setup.HeapNeed;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.plan.MeshRequest;
import org.tornadodit.scheduler.tune.DefaultRates;

class SamplingPlanTest {
    private static final DitConfig XL_512 = DitVariant.XL_2.config(512, 1000);
    private static final VaeConfig VAE =
            new VaeConfig(List.of(128, 256, 512, 512), 2, 4, 3, 32, 1e-6, 0.18215, true, true);

    @Test
    void scoresTheChallengesRunAndNoOther() {
        assertTrue(plan(XL_512, 8, "250", SamplingMethod.DDPM).isTheChallenges());
        assertFalse(plan(XL_512, 7, "250", SamplingMethod.DDPM).isTheChallenges(), "seven images");
        assertFalse(plan(XL_512, 8, "50", SamplingMethod.DDPM).isTheChallenges(), "50 steps");
        assertFalse(plan(XL_512, 8, "250", SamplingMethod.DDIM).isTheChallenges(), "DDIM");
        assertFalse(
                plan(DitVariant.XL_2.config(256, 1000), 8, "250", SamplingMethod.DDPM)
                        .isTheChallenges(),
                "256 pixels");
        assertFalse(
                plan(DitVariant.L_2.config(512, 1000), 8, "250", SamplingMethod.DDPM)
                        .isTheChallenges(),
                "DiT-L/2");
    }

    /** Twice the 524.6 Gflops of DiT's paper, which counts a multiplication and addition once; each guided sample twice. */
    @Test
    void aStepsWorkIsThePapersForEachPass() {
        assertEquals(
                16 * 2 * 524.6e9, plan(XL_512, 8, "250", SamplingMethod.DDPM).stepFlops(), 0.01 * 16 * 2 * 524.6e9);
    }

    @Test
    void refusesWhatTheHeapCannotHoldAndSaysWhatWould() {
        SamplingPlan fits = plan(DitVariant.S_2.config(256, 1000), 1, "10", SamplingMethod.DDPM);
        fits.requireHeap(fits.heapNeed(true));
        SamplingPlan large = plan(DitVariant.S_8.config(4096, 1000), 4096, "10", SamplingMethod.DDPM);
        IllegalStateException error =
                assertThrows(IllegalStateException.class, () -> large.requireHeap(large.heapNeed(false)));
        assertTrue(error.toString().contains("4096 images of 4096 x 4096 need about"), error.toString());
        assertTrue(error.toString().contains("DIT_JVM_OPTS=-Xmx"), error.toString());
    }

    /** What decodes in portions needs less than what decodes at once; what is written meanwhile is counted. */
    @Test
    void countsPortionsAndWhatIsWrittenMeanwhile() {
        SamplingPlan plan = plan(DitVariant.S_8.config(512, 1000), 4096, "10", SamplingMethod.DDPM);
        HeapNeed alone = plan.heapNeed(false);
        assertTrue(alone.decodedTogether() >= 1 && alone.decodedTogether() < 4096, alone.toString());
        long images = 4096L * 3 * 512 * 512 * Float.BYTES;
        assertTrue(plan.heapNeedOfWholeBatches().bytes() > 2 * images, "images of two batches");
        assertTrue(alone.engine() < images, alone.toString());
        assertTrue(plan.heapNeed(true).bytes() > alone.bytes() + images / 3, "another grid");
    }

    @Test
    void refusesAnAutoencoderThatDoesNotFit() {
        VaeConfig wide = new VaeConfig(List.of(128, 256, 512, 512), 2, 16, 3, 32, 1e-6, 0.18215, true, true);
        IllegalArgumentException channels =
                assertThrows(IllegalArgumentException.class, () -> plan(XL_512, wide, 1, "10", SamplingMethod.DDPM));
        assertTrue(channels.toString().contains("has 16 latent channels, DiT-XL/2 has 4"), channels.toString());
        VaeConfig shallow = new VaeConfig(List.of(128, 256), 2, 4, 3, 32, 1e-6, 0.18215, true, true);
        IllegalArgumentException scale =
                assertThrows(IllegalArgumentException.class, () -> plan(XL_512, shallow, 1, "10", SamplingMethod.DDPM));
        assertTrue(scale.toString().contains("enlarges 2 times, expected 8"), scale.toString());
    }

    private static SamplingPlan plan(DitConfig config, int samples, String steps, SamplingMethod sampler) {
        return plan(config, VAE, samples, steps, sampler);
    }

    private static SamplingPlan plan(
            DitConfig config, VaeConfig vae, int samples, String steps, SamplingMethod sampler) {
        return new SamplingPlan(
                new ModelSource(
                        "DiT-XL/2", Path.of("dit.pt"), Path.of("vae"), null, null, null, null, new ModelOptions()),
                config,
                vae,
                ClassNames.imageNet(),
                new SamplingRequest(Collections.nCopies(samples, 0), sampler.of(steps, 0), 4, Guidance.FIRST_THREE),
                new SamplingOptions(),
                new DeviceOptions.Chosen(List.of(), List.of(), false, MeshRequest.AUTO, "asked for"),
                new DefaultRates(),
                2,
                RunFiles.none());
    }
}
