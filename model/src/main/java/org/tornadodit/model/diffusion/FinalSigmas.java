package org.tornadodit.model.diffusion;

/** Where a solver's last step ends: diffusers' {@code final_sigmas_type}. */
public enum FinalSigmas {
    /** At no noise at all. */
    ZERO,
    /** At the level of timestep 0. */
    SIGMA_MIN
}
