package org.tornadodit.model.diffusion;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** The samplers by name. */
public enum SamplingMethod {
    /** Ancestral sampling with the learned variance: Ho et al. 2020, Nichol and Dhariwal 2021. */
    DDPM("DDPM", "ddpm", 0, List.of("DDPMScheduler")),
    /** Song et al. 2020, equation 12; deterministic with eta 0. */
    DDIM("DDIM", "ddim", 0, List.of("DDIMScheduler")),
    /** DPM-Solver++ (2M): Lu et al. 2022, arXiv 2211.01095, algorithm 2; deterministic. */
    DPM_SOLVER_PLUS_PLUS("DPM-Solver++", "dpm++", 1, List.of("dpmsolver++", "dpm++2m", "DPMSolverMultistepScheduler")),
    /** DPM-Solver++ (2M) for the SDE: fresh noise in each step. */
    SDE_DPM_SOLVER_PLUS_PLUS("SDE-DPM-Solver++", "dpm++sde", 1, List.of("sde-dpmsolver++", "dpm++2msde", "dpm++-sde")),
    /** UniPC: Zhao et al. 2023, arXiv 2302.04867, with its corrector; deterministic. */
    UNIPC("UniPC", "unipc", 2, List.of("UniPCMultistepScheduler")),
    /** Euler's method for the ODE of a velocity. */
    EULER("Euler", "euler", 0, List.of("ode")),
    /** Heun's method, the explicit trapezoidal rule: two calls of the model a step. */
    HEUN("Heun", "heun", 1, List.of("heun2")),
    /** Dormand and Prince's method of order 5, with steps of its own: six calls of the model each. */
    DOPRI5("Dormand-Prince", "dopri5", 8, List.of()),
    /** The Euler-Maruyama method for the SDE of a velocity. */
    EULER_MARUYAMA("Euler-Maruyama", "euler-maruyama", 0, List.of("sde")),
    /** Heun's method for the SDE of a velocity, as SiT has it. */
    HEUN_SDE("stochastic Heun", "heun-sde", 1, List.of()),
    /** MeanFlow's: the mean velocity of a whole step. */
    MEAN_FLOW("MeanFlow", "meanflow", 0, List.of());

    private final String title;
    private final String option;
    private final int history;
    private final List<String> aliases;

    SamplingMethod(String title, String option, int history, List<String> aliases) {
        this.title = title;
        this.option = option;
        this.history = history;
        this.aliases = aliases;
    }

    /** The name that options have. */
    public String option() {
        return option;
    }

    /** Arrays of the latents' shape that pass from a step to the next beside the latents. */
    public int history() {
        return history;
    }

    /** Those of them that follow from every call of the model; of a sampler that adapts the last does not, its clock, which is the host's. */
    public int deviceHistory() {
        return adaptive() ? history - 1 : history;
    }

    /** All names that options have, as {@code ddpm, ddim, ...}. */
    public static String options() {
        return Arrays.stream(values()).map(SamplingMethod::option).collect(Collectors.joining(", "));
    }

    /** The sampler that a user names, by its own name or diffusers'; upper and lower case are the same. */
    public static Optional<SamplingMethod> named(String name) {
        String wanted = name.toLowerCase(Locale.ROOT);
        return Arrays.stream(values())
                .filter(method -> method.option.equals(wanted)
                        || method.aliases.stream().anyMatch(alias -> alias.equalsIgnoreCase(wanted)))
                .findFirst();
    }

    /**
     * The sampler with so many steps, for models that predict epsilon.
     *
     * @param steps of DDPM and DDIM as {@link Diffusion#create} takes them; of the others a number, 1 to 999
     * @param eta DDIM's share of fresh noise, 0 to 1; the others have none
     * @param solver what a multistep solver does; the others do not heed it
     * @throws IllegalArgumentException with one line for the user, when the steps or eta cannot be so
     */
    public Sampler of(String steps, double eta, SolverChoices solver) {
        Prediction epsilon = new EpsilonPrediction();
        return switch (this) {
            case DDPM -> new Ddpm(Diffusion.create(steps), epsilon);
            case DDIM -> new Ddim(Diffusion.create(steps), eta);
            case DPM_SOLVER_PLUS_PLUS -> DpmSolver.create(steps, epsilon, solver, false);
            case SDE_DPM_SOLVER_PLUS_PLUS -> DpmSolver.create(steps, epsilon, solver, true);
            case UNIPC -> UniPc.create(steps, epsilon, solver);
            case EULER, HEUN, DOPRI5, EULER_MARUYAMA, HEUN_SDE, MEAN_FLOW ->
                throw new IllegalArgumentException(
                        "sampler %s is for models that predict a velocity: SiT, REPA, MeanFlow".formatted(option));
        };
    }

    /** Whether it is for models that predict a velocity. */
    public boolean ofVelocity() {
        return switch (this) {
            case EULER, HEUN, DOPRI5, EULER_MARUYAMA, HEUN_SDE, MEAN_FLOW -> true;
            default -> false;
        };
    }

    /** Whether it solves the SDE of a velocity. */
    public boolean stochasticFlow() {
        return this == EULER_MARUYAMA || this == HEUN_SDE;
    }

    /** Whether it decides by itself how many steps it takes. */
    public boolean adaptive() {
        return this == DOPRI5;
    }

    /** As above, a multistep solver with diffusers' defaults. */
    public Sampler of(String steps, double eta) {
        return of(steps, eta, SolverChoices.DEFAULT);
    }

    /** Whether {@link SolverChoices} say what it does. */
    public boolean multistep() {
        return history > 0 && !ofVelocity();
    }

    /** @throws IllegalArgumentException when a solver's type is another's */
    void requireSolver(SolverChoices choices, SolverType own, SolverType other) {
        SolverType type = choices.solverType();
        if (type != null && type != own && type != other) {
            throw new IllegalArgumentException(String.format(
                            Locale.ROOT, "solver type %s is not of %s, expected %s or %s", type, option, own, other)
                    .toLowerCase(Locale.ROOT));
        }
    }

    @Override
    public String toString() {
        return title;
    }
}
