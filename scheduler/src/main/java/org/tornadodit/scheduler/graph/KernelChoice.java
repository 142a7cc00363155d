package org.tornadodit.scheduler.graph;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.tornadodit.kernels.Attention;
import org.tornadodit.kernels.MmaForm;
import org.tornadodit.kernels.TensorCores;
import org.tornadodit.kernels.ptx.Installation;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.device.TornadoProperties;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.StepPlan.Stage;

/**
 * Which tier of kernels serves a device, and why: the one place where a variant is chosen.
 *
 * @param operations the tier's kernels
 * @param reason in words, for the user
 */
public record KernelChoice(Operations operations, String reason) {

    /**
     * Operations of the blocks' linear layers for one sample below which one product is no faster than three: a step of such
     * a model is decided by its launches. The demo model has 0.8e9, DiT-XL/2 at 256 x 256 230e9.
     */
    private static final double SMALL_FLOPS = 4e9;

    private static final String HOPPER = "9.0";

    /** Of models that were asked about: a start asks for each device, and counting walks the graphs. */
    private static final Map<DitConfig, Double> BLOCK_FLOPS = new ConcurrentHashMap<>();

    /**
     * What a model gets: {@link MatmulPrecision#HIGHEST} in place of another where that would save no time, or where FP8's products
     * do not take its sizes. It depends on the model alone, so that bits depend neither on the batch nor on the devices.
     */
    public static KernelOptions forModel(DitConfig config, KernelOptions options) {
        if (options.precision() == MatmulPrecision.HIGHEST) {
            return options;
        }
        if (options.precision() == MatmulPrecision.HIGHER && !TensorOperations.servesMixed(config)) {
            return options.at(MatmulPrecision.HIGHEST);
        }
        return BLOCK_FLOPS.computeIfAbsent(config, KernelChoice::blockFlops) < SMALL_FLOPS
                ? options.at(MatmulPrecision.HIGHEST)
                : options;
    }

    private static double blockFlops(DitConfig config) {
        return Count.ofStep(config, Part.of(config, 1, false)).launches().stream()
                .filter(launch -> launch.graph().equals(DitGraphs.name(Stage.BLOCK))
                        && launch.work().weightBytes() > 0)
                .mapToDouble(launch -> launch.times() * launch.work().flops())
                .sum();
    }

    /**
     * The best tier for a device and a model.
     *
     * @throws DeviceUnavailableException when tensor cores are asked for and cannot serve, or no kernels can
     */
    public static KernelChoice of(ListedDevice device, DitConfig config, KernelOptions options) {
        return switch (options.tier()) {
            case PORTABLE -> portable(config, options, "as asked");
            case MMA, WGMMA -> {
                Cores cores = cores(device, config, options.tier());
                yield switch (cores) {
                    case Some some -> tensor(some, options);
                    case None(String reason) ->
                        throw new DeviceUnavailableException(
                                "--kernels " + options.tier().word() + " cannot serve on " + device.name() + ": "
                                        + reason + "; leave out --kernels");
                };
            }
            case AUTO -> {
                if (!TornadoDevices.sdkIsPresent()) {
                    yield portable(
                            config, options, TensorOperations.refusal(config).orElse("the emulation runs them faster"));
                }
                // What no GPU has run yet is for those who ask for it: --kernels mma.
                yield switch (cores(device, config, Tier.WGMMA)) {
                    case Some some -> tensor(some, options);
                    case None(String reason) -> portable(config, options, reason);
                };
            }
        };
    }

    private static KernelChoice portable(DitConfig config, KernelOptions options, String reason) {
        int headSize = config.headSize();
        if (headSize % Attention.HEAD_SIZE_STEP != 0 || headSize > Attention.MAX_HEAD_SIZE) {
            throw new DeviceUnavailableException(
                    "the model's heads have %d dimensions: devices' kernels take multiples of %d up to %d; --device cpu takes any"
                            .formatted(headSize, Attention.HEAD_SIZE_STEP, Attention.MAX_HEAD_SIZE));
        }
        return new KernelChoice(new PortableOperations(options.tuning()), reason);
    }

    private static KernelChoice tensor(Some some, KernelOptions options) {
        return new KernelChoice(new TensorOperations(options.precision(), some.cores, options.tuning()), some.reason);
    }

    /** The decoder's kernels: of the same tier, if the autoencoder's sizes allow. */
    public DecoderTier decoder(VaeConfig config) {
        return operations.decoder(config);
    }

    /** A device's tensor cores, or why they cannot serve. */
    private sealed interface Cores {}

    private record Some(TensorCores cores, String reason) implements Cores {}

    private record None(String reason) implements Cores {}

    /** The form of a device's own instructions. */
    private static Optional<MmaForm> form(ListedDevice device) {
        return MmaForm.of(capability(device, 0), capability(device, 1));
    }

    /** The number before the point, part 0, or after it; 0 where the device has no capability. */
    private static int capability(ListedDevice device, int part) {
        return device.capability()
                .map(capability -> Integer.parseInt(capability.split("\\.", 2)[part]))
                .orElse(0);
    }

    /** By the instructions of a tier, also where tornado-host emulates them. */
    private static Cores cores(ListedDevice device, DitConfig config, Tier tier) {
        Optional<String> ofModel = TensorOperations.refusal(config);
        if (ofModel.isPresent()) {
            return new None(ofModel.get());
        }
        Optional<MmaForm> asked = TornadoProperties.mmaForm();
        int multiprocessors = device.computeUnits();
        if (!TornadoDevices.sdkIsPresent()) {
            return new Some(
                    tier == Tier.WGMMA
                            ? new TensorCores.Warpgroups(multiprocessors)
                            : TensorCores.Warps.of(
                                    asked.or(() -> form(device)).orElse(MmaForm.AMPERE), multiprocessors, 8, 0),
                    "emulated");
        }
        String capability = device.capability().orElse("");
        if (tier == Tier.WGMMA && !capability.equals(HOPPER)) {
            return new None("wgmma needs compute capability " + HOPPER + ", this is "
                    + device.capability().orElse(device.backend()));
        }
        int major = capability(device, 0);
        int minor = capability(device, 1);
        Optional<MmaForm> own = form(device);
        if (own.isEmpty()) {
            return new None("tensor cores need compute capability 7.0 or later, this is "
                    + device.capability().orElse(device.backend()));
        }
        if (asked.isPresent() && asked.get().compareTo(own.get()) < 0) {
            return new None(
                    "-D" + TornadoProperties.MMA_FORM + "=" + asked.get().name().toLowerCase(Locale.ROOT)
                            + " needs a later compute capability than " + capability);
        }
        return switch (Installation.installFromClassPath()) {
            case Installation.Installed _ ->
                new Some(
                        tier == Tier.WGMMA
                                ? new TensorCores.Warpgroups(multiprocessors)
                                : TensorCores.Warps.of(asked.orElse(own.get()), multiprocessors, major, minor),
                        "capability " + capability);
            case Installation.Refused refused -> new None(refused.reason());
        };
    }
}
