package org.tornadodit.runner.option;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.diffusion.Sampler;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.dit.GuidanceInterval;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.pipeline.Rng;
import org.tornadodit.scheduler.engine.SamplingRequest;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** What to sample and how: the reference's options, with diffusers' names as aliases. */
public final class SamplingOptions {
    private static final int MOST_LABELS = 4096;

    private static final Pattern MANY = Pattern.compile("(?i)(random|uniform):(.*)");

    @Option(
            names = {"--num-sampling-steps", "--num-inference-steps"},
            paramLabel = "STEPS",
            defaultValue = "250",
            description = "Denoising steps: a number up to 1000, sections as in \"10,15,20\", or \"ddim50\" for DDIM's"
                    + " spacing; a number up to 999 for dpm++, dpm++sde and unipc. Default: ${DEFAULT-VALUE};"
                    + " 1 for MeanFlow")
    public String steps = "250";

    @Option(
            names = {"--cfg-scale", "--guidance-scale"},
            paramLabel = "SCALE",
            defaultValue = "4.0",
            description =
                    "Weight of classifier-free guidance; 1 is without, for half of the work. Default: ${DEFAULT-VALUE};"
                            + " 1.8 for REPA, 1 for MeanFlow")
    double cfgScale = 4.0;

    @Option(
            names = "--cfg-channels",
            paramLabel = "3|all",
            defaultValue = "3",
            description =
                    "Latent channels that guidance changes: 3 as facebookresearch/DiT does, or all as diffusers does. "
                            + "Default: ${DEFAULT-VALUE}; all for REPA and MeanFlow")
    public String cfgChannels = "3";

    @Option(
            names = "--class-labels",
            paramLabel = "LABELS",
            description =
                    "Classes by number or name, separated by commas; random:N for N drawn by the seed, uniform:N for N"
                            + " spread evenly over all classes. Default: eight of the model's")
    @Nullable
    String classLabels;

    @Option(
            names = "--seed",
            paramLabel = "SEED",
            defaultValue = "0",
            description = "Seed of the noise, as torch.manual_seed takes it. Default: ${DEFAULT-VALUE}")
    public String seed = "0";

    @Option(
            names = "--rng",
            paramLabel = "cuda|cpu",
            defaultValue = "cuda",
            description = "Whose noise: PyTorch's on a GPU or on the CPU. Default: ${DEFAULT-VALUE}")
    public Rng rng = Rng.CUDA;

    @Mixin
    public KernelArguments kernelArguments = new KernelArguments();

    @Option(
            names = "--sampler",
            paramLabel = "ddpm|ddim|dpm++|dpm++sde|unipc|euler|heun|dopri5|euler-maruyama|heun-sde|meanflow",
            defaultValue = "ddpm",
            converter = SamplerName.class,
            description =
                    "dpm++ is DPM-Solver++ (2M), dpm++sde the same with noise in each step, unipc UniPC: they need"
                            + " 20 to 30 steps. diffusers' names are taken too."
                            + " SiT: euler-maruyama, heun-sde, euler, heun, dopri5. REPA: euler-maruyama, euler, heun."
                            + " MeanFlow: meanflow. Default: ${DEFAULT-VALUE}; of the others the first")
    public SamplingMethod sampler = SamplingMethod.DDPM;

    @Option(
            names = "--eta",
            paramLabel = "ETA",
            defaultValue = "0",
            description = "DDIM's share of noise, 0 to 1. Default: ${DEFAULT-VALUE}")
    double eta;

    @Mixin
    public SolverOptions solver = new SolverOptions();

    @Mixin
    public FlowOptions flow = new FlowOptions();

    @Option(
            names = "--guidance-low",
            paramLabel = "SHARE",
            defaultValue = "0",
            description = "Guidance only while the share of noise, 1 at the start and 0 at the end, is at least this."
                    + " Default: ${DEFAULT-VALUE}")
    double guidanceLow;

    @Option(
            names = "--guidance-high",
            paramLabel = "SHARE",
            defaultValue = "1",
            description =
                    "And at most this; outside, steps are half of the work. Default: ${DEFAULT-VALUE}; 0.7 for REPA")
    double guidanceHigh = 1;

    @Spec(Spec.Target.MIXEE)
    @Nullable
    CommandSpec command;

    private Objective objective = Objective.DIT;

    /** Takes the model's own defaults for what the user has not typed. */
    private void resolve(Objective model) {
        objective = model;
        if (model == Objective.DIT) {
            return;
        }
        if (!typed("--num-sampling-steps")) {
            steps = model.defaultSteps();
        }
        if (!typed("--sampler")) {
            sampler = model.samplers().getFirst();
        }
        if (!typed("--cfg-scale")) {
            cfgScale = model.defaultCfgScale();
        }
        if (!typed("--cfg-channels")) {
            cfgChannels = model.guidesAllChannels() ? "all" : "3";
        }
        if (!typed("--guidance-high")) {
            guidanceHigh = model.defaultGuidanceHigh();
        }
    }

    /** Of the model, once a request was made. */
    public Objective objective() {
        return objective;
    }

    /** Whether samples are guided, once a request was made. */
    public boolean guided() {
        return cfgScale != 1;
    }

    /** Whether the user has said it, on the command line or by a picture of --like. */
    private boolean typed(String option) {
        if (command == null) {
            return false;
        }
        IDefaultValueProvider picture = command.defaultValueProvider();
        try {
            return command.commandLine().getParseResult().hasMatchedOption(option)
                    || (picture != null && picture.defaultValue(command.findOption(option)) != null);
        } catch (Exception e) { // as picocli declares it
            throw new IllegalStateException(e);
        }
    }

    /** Reads a sampler's name, the project's or diffusers'. */
    static final class SamplerName implements ITypeConverter<SamplingMethod> {
        @Override
        public SamplingMethod convert(String name) {
            return SamplingMethod.named(name)
                    .orElseThrow(
                            () -> new TypeConversionException("expected one of [%s] (case-insensitive) but was '%s'"
                                    .formatted(SamplingMethod.options(), name)));
        }
    }

    /** The sampler with so many steps instead of those asked for. */
    public Sampler sampler(String ofSteps) {
        return objective.sampler(sampler, ofSteps, eta, solver.choices(), flow.choices());
    }

    /** The noise of the whole run, which goes on from batch to batch. */
    public NoiseStream noise() {
        return rng.stream(TorchRandn.parseSeed(seed));
    }

    /**
     * What to sample of a model.
     *
     * @throws IllegalArgumentException when an option is out of range, does not suit the model, or names no class
     */
    public SamplingRequest request(ClassNames classes, DitConfig config) {
        resolve(config.objective());
        if (!(cfgScale >= 0) || Double.isInfinite(cfgScale)) {
            throw new IllegalArgumentException("--cfg-scale is " + cfgScale + ", expected a number of at least 0");
        }
        if (!(eta >= 0 && eta <= 1)) {
            throw new IllegalArgumentException("--eta is " + eta + ", expected 0 to 1");
        }
        return new SamplingRequest(
                labels(classes, config.numClasses()),
                sampler(steps),
                cfgScale,
                guidance(),
                new GuidanceInterval(guidanceLow, guidanceHigh));
    }

    private Guidance guidance() {
        return switch (cfgChannels) {
            case "3" -> Guidance.FIRST_THREE;
            case "all" -> Guidance.ALL;
            default ->
                throw new IllegalArgumentException("--cfg-channels is \"" + cfgChannels + "\", expected 3 or all");
        };
    }

    private List<Integer> labels(ClassNames classes, int numClasses) {
        if (classLabels == null) {
            return classes.favourites().isEmpty()
                    ? ClassNames.numbered(numClasses).favourites()
                    : classes.favourites();
        }
        List<String> entries = List.of(classLabels.split(",", -1));
        if (entries.stream().anyMatch(String::isBlank)) {
            throw new IllegalArgumentException("--class-labels is \"" + classLabels
                    + "\", expected classes by number or name, separated by single commas");
        }
        List<Integer> labels = new ArrayList<>();
        String list = ModelSource.listOf(classes);
        for (String entry : entries) {
            Matcher many = MANY.matcher(entry.strip());
            if (many.matches()) {
                int count = count(entry, many.group(2));
                labels.addAll(
                        many.group(1).equalsIgnoreCase("random")
                                ? ClassNames.random(count, numClasses, TorchRandn.parseSeed(seed))
                                : ClassNames.uniform(count, numClasses));
            } else {
                labels.add(classes.parse(entry, numClasses, list));
            }
        }
        if (labels.size() > MOST_LABELS) {
            throw new IllegalArgumentException("--class-labels names %d images, at most %d fit one batch; use --batches"
                    .formatted(labels.size(), MOST_LABELS));
        }
        return labels;
    }

    private static int count(String entry, String number) {
        int count = number.matches("[0-9]{1,9}") ? Integer.parseInt(number) : -1;
        if (count < 1 || count > MOST_LABELS) {
            throw new IllegalArgumentException(
                    "--class-labels has \"%s\", expected a number of 1 to %d behind the colon; use --batches for more"
                            .formatted(entry.strip(), MOST_LABELS));
        }
        return count;
    }
}
