package org.tornadodit.model.diffusion;

/** How a multistep solver of order 2 uses the step before: diffusers' {@code solver_type}. */
public enum SolverType {
    /** DPM-Solver++: half of the finite difference, which the paper's algorithm 2 takes. */
    MIDPOINT,
    /** DPM-Solver++: the difference weighed as the exponential integrator's expansion does. */
    HEUN,
    /** UniPC with B(h) = h. */
    BH1,
    /** UniPC with B(h) = exp(h) - 1. */
    BH2;

    /** Whether its solver takes it where none is chosen. */
    public boolean isOwn() {
        return this == MIDPOINT || this == BH2;
    }
}
