package org.tornadodit.model.diffusion;

/**
 * The noise, as DiT predicts it (Ho et al. 2020, equation 11). A model that learns the variance has it in as many channels
 * behind, between its bounds (Nichol and Dhariwal 2021, equation 15): see {@link Update.Ancestral}.
 */
public record EpsilonPrediction() implements Prediction {
    @Override
    public StartEstimate start(NoiseLevel level) {
        return new StartEstimate((float) level.recipAlpha(), (float) level.sigmaOverAlpha());
    }
}
