package org.tornadodit.scheduler.run;

import java.util.Optional;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.PhiloxNoise;
import org.tornadodit.model.diffusion.SamplerStep;
import org.tornadodit.model.diffusion.Update;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What one sample does in a step; those that share a pass may differ in all of it.
 *
 * @param label its class
 * @param step of its sampler
 * @param cfgScale weight of classifier-free guidance
 * @param guidedChannels of the first channels, those that guidance changes; 0 for an unguided sample
 * @param draw where its noise lies in PyTorch's stream; any where the noise comes from the host
 * @param later what it will ask the model, as far as that is known
 */
record SampleStep(int label, SamplerStep step, double cfgScale, int guidedChannels, Draw draw, Later later) {

    /** Steps of a sample behind one of them. */
    interface Later {
        Later UNKNOWN = ahead -> Optional.empty();

        /** @param ahead 1 for the next step; nothing where there is none, or where it is to be decided on the way there */
        Optional<Later.Step> step(int ahead);

        /** @param guided whether it has a pass for the null class too */
        record Step(SamplerStep step, boolean guided) {}
    }

    /**
     * Elements of one of torch.randn's calls, see {@link PhiloxNoise}.
     *
     * @param counter Philox's at the call
     * @param threads of PyTorch's launch for the whole call
     * @param first element of the call that is the sample's first
     */
    record Draw(long seed, long counter, long threads, int first) {
        /** For noise from the host. */
        static final Draw NONE = new Draw(0, 0, 256, 0);
    }

    boolean guided() {
        return guidedChannels > 0;
    }

    /** Writes what the sampler needs, as sample {@code i} of a batch. */
    void write(int i, boolean learnedVariance, FloatArray coefficientsOfAll, IntArray draws) {
        int c = i * DenoiseStep.LENGTH;
        coefficientsOfAll.set(c + DenoiseStep.GUIDANCE_SCALE, (float) cfgScale);
        coefficientsOfAll.set(c + DenoiseStep.GUIDED_CHANNELS, guidedChannels);
        coefficientsOfAll.set(
                c + DenoiseStep.SQRT_RECIP_ALPHAS_CUMPROD, step.start().ofX());
        coefficientsOfAll.set(
                c + DenoiseStep.SQRT_RECIPM1_ALPHAS_CUMPROD, step.start().ofOutput());
        switch (step.update()) {
            case Update.Ancestral s -> {
                coefficientsOfAll.set(c + DenoiseStep.SAMPLER, DenoiseStep.DDPM);
                coefficientsOfAll.set(c + DenoiseStep.POSTERIOR_MEAN_COEF1, s.ofStart());
                coefficientsOfAll.set(c + DenoiseStep.POSTERIOR_MEAN_COEF2, s.ofX());
                coefficientsOfAll.set(
                        c + DenoiseStep.MIN_LOG_VARIANCE, learnedVariance ? s.minLogVariance() : s.fixedLogVariance());
                coefficientsOfAll.set(
                        c + DenoiseStep.MAX_LOG_VARIANCE, learnedVariance ? s.maxLogVariance() : s.fixedLogVariance());
                coefficientsOfAll.set(c + DenoiseStep.NOISE_FACTOR, s.noiseMask());
            }
            case Update.Implicit s -> {
                coefficientsOfAll.set(c + DenoiseStep.SAMPLER, DenoiseStep.DDIM);
                coefficientsOfAll.set(c + DenoiseStep.SQRT_ALPHAS_CUMPROD_PREV, s.ofStart());
                coefficientsOfAll.set(c + DenoiseStep.DDIM_DIRECTION, s.direction());
                coefficientsOfAll.set(c + DenoiseStep.SIGMA, s.sigma());
                coefficientsOfAll.set(c + DenoiseStep.NOISE_FACTOR, s.noiseMask());
            }
            case Update.Linear s -> {
                coefficientsOfAll.set(c + DenoiseStep.SAMPLER, DenoiseStep.LINEAR);
                coefficientsOfAll.set(c + DenoiseStep.LINEAR_X, s.ofX());
                coefficientsOfAll.set(c + DenoiseStep.LINEAR_OUTPUT, s.ofOutput());
                coefficientsOfAll.set(c + DenoiseStep.LINEAR_KEPT, s.ofKept());
                coefficientsOfAll.set(c + DenoiseStep.LINEAR_NOISE, s.ofNoise());
                coefficientsOfAll.set(c + DenoiseStep.KEEP_X, s.keptX());
                coefficientsOfAll.set(c + DenoiseStep.KEEP_OUTPUT, s.keptOutput());
                coefficientsOfAll.set(c + DenoiseStep.NOISE_FACTOR, 1);
            }
            case Update.Multistep s -> {
                coefficientsOfAll.set(c + DenoiseStep.SAMPLER, DenoiseStep.MULTISTEP);
                coefficientsOfAll.set(c + DenoiseStep.MULTISTEP_START, s.ofStart());
                coefficientsOfAll.set(c + DenoiseStep.MULTISTEP_X, s.ofX());
                coefficientsOfAll.set(c + DenoiseStep.MULTISTEP_DIFFERENCE, s.ofDifference());
                coefficientsOfAll.set(c + DenoiseStep.SIGMA, s.sigma());
                coefficientsOfAll.set(c + DenoiseStep.NOISE_FACTOR, 1);
            }
            case Update.PredictorCorrector s -> {
                coefficientsOfAll.set(c + DenoiseStep.SAMPLER, DenoiseStep.PREDICTOR_CORRECTOR);
                coefficientsOfAll.set(c + DenoiseStep.CORRECTION_X, s.correctionOfX());
                coefficientsOfAll.set(c + DenoiseStep.CORRECTION_START, s.correctionOfStart());
                coefficientsOfAll.set(c + DenoiseStep.MULTISTEP_START, s.ofStart());
                coefficientsOfAll.set(c + DenoiseStep.MULTISTEP_X, s.ofX());
                coefficientsOfAll.set(c + DenoiseStep.MULTISTEP_DIFFERENCE, s.ofDifference());
                coefficientsOfAll.set(c + DenoiseStep.KEPT_START, s.keptOfStart());
                coefficientsOfAll.set(c + DenoiseStep.KEPT_DIFFERENCE, s.keptOfDifference());
                coefficientsOfAll.set(c + DenoiseStep.SIGMA, 0);
                coefficientsOfAll.set(c + DenoiseStep.NOISE_FACTOR, 0);
            }
            case Update.Stage s -> {
                coefficientsOfAll.set(c + DenoiseStep.SAMPLER, DenoiseStep.STAGE);
                coefficientsOfAll.set(c + DenoiseStep.STAGE_SLOPES, s.slopes());
                for (int k = 0; k < s.shares().size(); k++) {
                    coefficientsOfAll.set(
                            c + DenoiseStep.STAGE_SHARES + k, -s.shares().get(k));
                }
                coefficientsOfAll.set(c + DenoiseStep.NOISE_FACTOR, 0);
            }
        }
        int d = i * PhiloxNoise.LENGTH;
        draws.set(d + PhiloxNoise.SEED_LOW, (int) draw.seed());
        draws.set(d + PhiloxNoise.SEED_HIGH, (int) (draw.seed() >>> 32));
        draws.set(d + PhiloxNoise.CALL_LOW, (int) draw.counter());
        draws.set(d + PhiloxNoise.CALL_HIGH, (int) (draw.counter() >>> 32));
        draws.set(d + PhiloxNoise.TORCH_THREADS, (int) draw.threads());
        draws.set(d + PhiloxNoise.FIRST_ELEMENT, draw.first());
    }
}
