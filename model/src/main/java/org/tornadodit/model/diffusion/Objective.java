package org.tornadodit.model.diffusion;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a model was trained to predict, which decides its times, their direction, and the samplers that suit it. */
public enum Objective {
    /** DiT: the noise in x_t, t a timestep of 0 to 999. */
    DIT("dit", "DiT", List.of(SamplingMethod.DDPM), "250", 4, 1),
    /**
     * SiT (N. Ma et al. 2024, arXiv 2401.08740): the velocity v = data - noise at {@code x_t = t data + (1 - t) noise}, t from
     * 0 to 1. With as many outputs again the second half means nothing.
     */
    SIT(
            "sit",
            "SiT",
            List.of(
                    SamplingMethod.EULER_MARUYAMA,
                    SamplingMethod.HEUN_SDE,
                    SamplingMethod.EULER,
                    SamplingMethod.HEUN,
                    SamplingMethod.DOPRI5),
            "250",
            4,
            1),
    /** REPA (S. Yu et al. 2024, arXiv 2410.06940): v = noise - data at {@code x_t = (1 - t) data + t noise}, t from 1 to 0. */
    REPA(
            "repa",
            "REPA",
            List.of(SamplingMethod.EULER_MARUYAMA, SamplingMethod.EULER, SamplingMethod.HEUN),
            "250",
            1.8,
            0.7),
    /** MeanFlow (Z. Geng et al. 2025, arXiv 2505.13447): the mean of REPA's velocity from r to t, told t and t - r. */
    MEANFLOW("meanflow", "MeanFlow", List.of(SamplingMethod.MEAN_FLOW), "1", 1, 1);

    private final String option;
    private final String title;
    private final List<SamplingMethod> velocitySamplers;
    private final String steps;
    private final double cfgScale;
    private final double guidanceHigh;

    Objective(
            String option,
            String title,
            List<SamplingMethod> samplers,
            String steps,
            double cfgScale,
            double guidanceHigh) {
        this.option = option;
        this.title = title;
        this.velocitySamplers = samplers;
        this.steps = steps;
        this.cfgScale = cfgScale;
        this.guidanceHigh = guidanceHigh;
    }

    /** The name that options and config.json have. */
    public String option() {
        return option;
    }

    /** All of them, as {@code dit, sit, ...}. */
    public static String options() {
        return Arrays.stream(values()).map(Objective::option).collect(Collectors.joining(", "));
    }

    /** The objective of this name, in any case. */
    public static Optional<Objective> named(String name) {
        return Arrays.stream(values())
                .filter(objective -> objective.option.equals(name.toLowerCase(Locale.ROOT)))
                .findFirst();
    }

    /** Samplers for such a model, the one that it takes by itself first. */
    public List<SamplingMethod> samplers() {
        return this == DIT
                ? Arrays.stream(SamplingMethod.values())
                        .filter(method -> !method.ofVelocity())
                        .toList()
                : velocitySamplers;
    }

    /** The most {@link SamplingMethod#deviceHistory} of them. */
    public int deviceHistory() {
        return samplers().stream().mapToInt(SamplingMethod::deviceHistory).max().orElse(0);
    }

    /** What the model's publishers sample with: steps, as {@code --num-sampling-steps} takes them. */
    public String defaultSteps() {
        return steps;
    }

    /** Weight of guidance, likewise. */
    public double defaultCfgScale() {
        return cfgScale;
    }

    /** Where guidance ends, as a share of the noise; see {@link SamplerStep#guidedAt}. */
    public double defaultGuidanceHigh() {
        return guidanceHigh;
    }

    /** Whether guidance changes all channels; three otherwise. */
    public boolean guidesAllChannels() {
        return this == REPA || this == MEANFLOW;
    }

    /**
     * A sampler.
     *
     * @param steps a number; of DDPM and DDIM as {@link Diffusion#create} takes them; dopri5 takes as many as it needs
     * @param eta DDIM's share of fresh noise
     * @param solver choices of DPM-Solver++ and UniPC
     * @param flow choices of SiT's samplers
     * @throws IllegalArgumentException with one line for the user, when the method does not suit the model or takes no such
     *     steps
     */
    public Sampler sampler(SamplingMethod method, String steps, double eta, SolverChoices solver, FlowChoices flow) {
        requireSuits(method);
        if (method == SamplingMethod.DOPRI5) {
            return new Dopri5(flow.atol(), flow.rtol());
        }
        return method.ofVelocity() ? VelocitySampler.of(this, method, steps, flow) : method.of(steps, eta, solver);
    }

    /** As above, a multistep solver with diffusers' defaults, a flow's with SiT's. */
    public Sampler sampler(SamplingMethod method, String steps, double eta) {
        return sampler(method, steps, eta, SolverChoices.DEFAULT, FlowChoices.DEFAULT);
    }

    /** @throws IllegalArgumentException with one line for the user, when the method does not suit the model */
    public void requireSuits(SamplingMethod method) {
        if (!samplers().contains(method)) {
            throw new IllegalArgumentException("sampler %s is not for %s models, which take %s"
                    .formatted(
                            method.option(),
                            title,
                            samplers().stream().map(SamplingMethod::option).collect(Collectors.joining(", "))));
        }
    }

    @Override
    public String toString() {
        return title;
    }
}
