package org.tornadodit.model.diffusion;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What SiT's samplers do, under the names and with the defaults of its program.
 *
 * @param atol dopri5's absolute tolerance
 * @param rtol and its relative one
 * @param lastStep how an SDE ends
 * @param lastStepSize how far before the end that is; not read with {@link LastStep#NONE}
 * @param diffusionForm of an SDE: how much noise its steps add
 * @param diffusionNorm and its size
 */
public record FlowChoices(
        double atol,
        double rtol,
        LastStep lastStep,
        double lastStepSize,
        DiffusionForm diffusionForm,
        double diffusionNorm) {

    /** SiT's. */
    public static final FlowChoices DEFAULT = new FlowChoices(1e-6, 1e-3, LastStep.MEAN, 0.04, DiffusionForm.SIGMA, 1);

    /** The last step of an SDE, which adds no noise. */
    public enum LastStep {
        /** Along the SDE's drift. */
        MEAN,
        /** To the data that Tweedie's formula expects. */
        TWEEDIE,
        /** Along the velocity. */
        EULER,
        /** None: the SDE goes to the end. */
        NONE
    }

    /** The diffusion coefficient w(t) of an SDE from t = 0, noise, to 1, data. Its drift is v + w score. */
    public enum DiffusionForm {
        /** The norm. */
        CONSTANT,
        /** norm (1 - t). */
        SIGMA,
        /** The same, for a linear path. */
        LINEAR,
        /** (norm cos(pi t) + 1)^2 / 4. */
        DECREASING,
        /** norm sin(pi t)^2. */
        INCREASING_DECREASING;

        /** The name that options have. */
        public String option() {
            return word(this);
        }

        /** The form of this name, as options have it, in any case. */
        public static Optional<DiffusionForm> named(String name) {
            return Arrays.stream(values())
                    .filter(form -> form.option().equalsIgnoreCase(name))
                    .findFirst();
        }

        /** All of them, as {@code constant, sigma, ...}. */
        public static String options() {
            return Arrays.stream(values()).map(DiffusionForm::option).collect(Collectors.joining(", "));
        }

        /** w(t) / (1 - t), which is what the score takes. */
        double overSigma(double t, double norm) {
            return switch (this) {
                case CONSTANT -> norm / (1 - t);
                case SIGMA, LINEAR -> norm;
                case DECREASING -> square(norm * Math.cos(Math.PI * t) + 1) / 4 / (1 - t);
                case INCREASING_DECREASING -> norm * square(Math.sin(Math.PI * t)) / (1 - t);
            };
        }

        private static double square(double value) {
            return value * value;
        }
    }

    /** @throws IllegalArgumentException with one line for the user */
    public FlowChoices {
        requirePositive("--atol", atol, Double.MAX_VALUE);
        requirePositive("--rtol", rtol, Math.nextDown(1.0));
        requirePositive("--last-step-size", lastStepSize, Math.nextDown(1.0));
        requirePositive("--diffusion-norm", diffusionNorm, 1e6);
    }

    private static void requirePositive(String option, double value, double most) {
        if (!(value > 0 && value <= most)) {
            String bound = most < 1 ? " and below 1" : most < Double.MAX_VALUE ? " and up to " + (long) most : "";
            throw new IllegalArgumentException("%s is %s, expected a number above 0%s".formatted(option, value, bound));
        }
    }

    /** How far before the end an SDE's own steps stop. */
    double rest() {
        return lastStep == LastStep.NONE ? 0 : lastStepSize;
    }

    /** What a sampler heeds of these, by the options' names without hyphens before them. */
    public Map<String, String> facts(Objective objective, SamplingMethod method) {
        Map<String, String> facts = new LinkedHashMap<>();
        if (method == SamplingMethod.DOPRI5) {
            facts.put("atol", String.valueOf(atol));
            facts.put("rtol", String.valueOf(rtol));
        } else if (objective == Objective.SIT && method.stochasticFlow()) {
            facts.put("last-step", word(lastStep));
            if (lastStep != LastStep.NONE) {
                facts.put("last-step-size", String.valueOf(lastStepSize));
            }
            facts.put("diffusion-form", word(diffusionForm));
            facts.put("diffusion-norm", String.valueOf(diffusionNorm));
        }
        return facts;
    }

    private static String word(Enum<?> choice) {
        return choice.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
