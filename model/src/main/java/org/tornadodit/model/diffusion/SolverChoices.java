package org.tornadodit.model.diffusion;

import org.jspecify.annotations.Nullable;

/**
 * What can be chosen of the multistep solvers, under diffusers' names.
 *
 * @param timestepSpacing which timesteps they visit
 * @param solverOrder 1 or 2
 * @param solverType null for the solver's own
 * @param finalSigmasType where the last step ends
 */
public record SolverChoices(
        TimestepSpacing timestepSpacing,
        int solverOrder,
        @Nullable SolverType solverType,
        FinalSigmas finalSigmasType) {

    /** diffusers' defaults. */
    public static final SolverChoices DEFAULT = new SolverChoices(TimestepSpacing.LINSPACE, 2, null, FinalSigmas.ZERO);

    /** Whether the solver's type changes what a method does: DPM-Solver++ has none at order 1, UniPC's corrector has. */
    public boolean heedsType(SamplingMethod method) {
        return solverOrder > 1 || method == SamplingMethod.UNIPC;
    }

    /** @throws IllegalArgumentException with one line for the user */
    public SolverChoices {
        if (solverOrder < 1 || solverOrder > 2) {
            throw new IllegalArgumentException(
                    "solver order %d, expected 1 or 2; 2 is the order for guided sampling".formatted(solverOrder));
        }
    }
}
