package org.tornadodit.model.diffusion;

/** How x_{t-1} is drawn from x_t and the model's output. */
public enum Sampler {
    /** Ancestral sampling with the learned variance: Ho et al. 2020, Nichol and Dhariwal 2021. */
    DDPM,
    /** Song et al. 2020, equation 12; deterministic with eta 0. */
    DDIM
}
