package org.tornadodit.runner.option;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.diffusion.FinalSigmas;
import org.tornadodit.model.diffusion.SolverChoices;
import org.tornadodit.model.diffusion.SolverType;
import org.tornadodit.model.diffusion.TimestepSpacing;
import picocli.CommandLine.Option;

/** What the multistep samplers heed, under diffusers' names. */
public final class SolverOptions {
    /** All names. */
    public static final List<String> NAMES =
            List.of("--timestep-spacing", "--solver-order", "--solver-type", "--final-sigmas-type");

    @Option(
            names = "--timestep-spacing",
            paramLabel = "linspace|leading|trailing",
            defaultValue = "linspace",
            description = "Which timesteps dpm++, dpm++sde and unipc visit. Default: ${DEFAULT-VALUE}")
    TimestepSpacing spacing = TimestepSpacing.LINSPACE;

    @Option(
            names = "--solver-order",
            paramLabel = "1|2",
            defaultValue = "2",
            description = "Order of dpm++, dpm++sde and unipc. Default: ${DEFAULT-VALUE}")
    int order = 2;

    @Option(
            names = "--solver-type",
            paramLabel = "midpoint|heun|bh1|bh2",
            description =
                    "How they use the step before: midpoint (default) or heun for dpm++ and dpm++sde, bh2 (default) or"
                            + " bh1 for unipc")
    @Nullable
    SolverType type;

    @Option(
            names = "--final-sigmas-type",
            paramLabel = "zero|sigma_min",
            defaultValue = "zero",
            description = "Where their last step ends: at no noise, or at timestep 0. Default: ${DEFAULT-VALUE}")
    FinalSigmas finalSigmas = FinalSigmas.ZERO;

    /** What is chosen for a sampler, by the options' names. */
    public Map<String, String> facts() {
        SolverChoices choices = choices();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("--timestep-spacing", word(choices.timestepSpacing()));
        facts.put("--solver-order", String.valueOf(choices.solverOrder()));
        SolverType chosen = type;
        facts.put("--solver-type", chosen == null || chosen.isOwn() ? "default" : word(chosen));
        facts.put("--final-sigmas-type", word(choices.finalSigmasType()));
        return facts;
    }

    private static String word(Enum<?> choice) {
        return choice.name().toLowerCase(Locale.ROOT);
    }

    /** @throws IllegalArgumentException with one line for the user */
    public SolverChoices choices() {
        return new SolverChoices(spacing, order, type, finalSigmas);
    }
}
