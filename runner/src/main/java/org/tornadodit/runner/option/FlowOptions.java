package org.tornadodit.runner.option;

import java.util.List;
import org.tornadodit.model.diffusion.FlowChoices;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What SiT's samplers heed, under the names of its program. */
public final class FlowOptions {
    /** What dopri5 heeds. */
    public static final List<String> TOLERANCES = List.of("--atol", "--rtol");

    /** What SiT's SDEs heed. */
    public static final List<String> OF_SDE =
            List.of("--last-step", "--last-step-size", "--diffusion-form", "--diffusion-norm");

    @Option(
            names = "--atol",
            paramLabel = "TOLERANCE",
            defaultValue = "1e-6",
            description = "dopri5's absolute tolerance. Default: ${DEFAULT-VALUE}")
    double atol = FlowChoices.DEFAULT.atol();

    @Option(
            names = "--rtol",
            paramLabel = "TOLERANCE",
            defaultValue = "1e-3",
            description = "dopri5's relative tolerance. Default: ${DEFAULT-VALUE}")
    double rtol = FlowChoices.DEFAULT.rtol();

    @Option(
            names = "--last-step",
            paramLabel = "mean|tweedie|euler|none",
            defaultValue = "mean",
            description = "How the SDEs of SiT end, without noise. Default: ${DEFAULT-VALUE}")
    FlowChoices.LastStep lastStep = FlowChoices.LastStep.MEAN;

    @Option(
            names = "--last-step-size",
            paramLabel = "SIZE",
            defaultValue = "0.04",
            description = "How far before the end that step begins. Default: ${DEFAULT-VALUE}")
    double lastStepSize = FlowChoices.DEFAULT.lastStepSize();

    @Option(
            names = "--diffusion-form",
            paramLabel = "constant|sigma|linear|decreasing|increasing-decreasing",
            defaultValue = "sigma",
            converter = Form.class,
            description = "How much noise the steps of SiT's SDEs add, over time. Default: ${DEFAULT-VALUE}")
    FlowChoices.DiffusionForm diffusionForm = FlowChoices.DiffusionForm.SIGMA;

    @Option(
            names = "--diffusion-norm",
            paramLabel = "NORM",
            defaultValue = "1",
            description = "And how much in all. Default: ${DEFAULT-VALUE}")
    double diffusionNorm = FlowChoices.DEFAULT.diffusionNorm();

    /** @throws IllegalArgumentException with one line for the user */
    public FlowChoices choices() {
        return new FlowChoices(atol, rtol, lastStep, lastStepSize, diffusionForm, diffusionNorm);
    }

    /** Reads a form's name, with a hyphen in it. */
    static final class Form implements ITypeConverter<FlowChoices.DiffusionForm> {
        @Override
        public FlowChoices.DiffusionForm convert(String name) {
            return FlowChoices.DiffusionForm.named(name)
                    .orElseThrow(
                            () -> new TypeConversionException("expected one of [%s] (case-insensitive) but was '%s'"
                                    .formatted(FlowChoices.DiffusionForm.options(), name)));
        }
    }
}
