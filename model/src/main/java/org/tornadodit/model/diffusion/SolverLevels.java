package org.tornadodit.model.diffusion;

/**
 * The levels of noise that a multistep solver goes through.
 *
 * @param schedule of the trained process
 * @param indices levels of the schedule that the denoiser is asked at, descending
 * @param end level after the last step
 */
@SuppressWarnings("ArrayRecordComponent") // inside the package, and never changed
record SolverLevels(NoiseSchedule schedule, int[] indices, NoiseLevel end) {

    /**
     * On the process that DiT was trained with.
     *
     * @param method whose steps they are, for messages
     * @param steps a number, 1 to 999
     * @throws IllegalArgumentException with one line for the user, when it is no such number
     */
    static SolverLevels of(SamplingMethod method, String steps, SolverChoices choices) {
        int count;
        try {
            count = Integer.parseInt(steps.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "sampling steps '%s': %s takes a number like 20; sections and ddim50 are spacings of ddpm and ddim"
                            .formatted(steps, method.option()),
                    e);
        }
        if (count < 1 || count >= Diffusion.TRAINED_TIMESTEPS) {
            throw new IllegalArgumentException("%d sampling steps: %s takes 1 to %d"
                    .formatted(count, method.option(), Diffusion.TRAINED_TIMESTEPS - 1));
        }
        NoiseSchedule schedule = Diffusion.create("");
        NoiseLevel end = switch (choices.finalSigmasType()) {
            case ZERO -> NoiseLevel.CLEAN;
            case SIGMA_MIN -> schedule.level(0);
        };
        return new SolverLevels(schedule, choices.timestepSpacing().timesteps(count), end);
    }

    int steps() {
        return indices.length;
    }

    /** What the denoiser is given in a step. */
    double time(int done) {
        return schedule.time(indices[done]);
    }

    /** How noisy latents are after so many steps. */
    NoiseLevel level(int done) {
        return done == indices.length ? end : schedule.level(indices[done]);
    }

    /** h of a step: how far lambda goes. Infinite in a last step to no noise at all. */
    double width(int done) {
        return level(done + 1).lambda() - level(done).lambda();
    }

    /** Whether nothing of the noise is left in the end. */
    boolean endsClean() {
        return end.sigma() == 0;
    }
}
