package org.tornadodit.model.diffusion;

/** What a denoiser predicts: how x_0 follows from its output. */
public interface Prediction {

    /** The estimate of x_0 at a noise level. */
    StartEstimate start(NoiseLevel level);

    /**
     * x_0 as a line of the latents and the denoiser's output, each operation rounded to float32:
     * {@code x_0 = ofX x - ofOutput output}.
     */
    record StartEstimate(float ofX, float ofOutput) {
        /** x_0 of one element. */
        public float of(float x, float output) {
            return ofX * x - ofOutput * output;
        }
    }
}
