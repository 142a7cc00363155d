package org.tornadodit.scheduler.graph;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.tornadodit.kernels.ptx.Installation;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
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

    /** Of models that were asked about: a start asks for each device, and counting walks the graphs. */
    private static final Map<DitConfig, Double> BLOCK_FLOPS = new ConcurrentHashMap<>();

    /**
     * What a model gets: {@link MatmulPrecision#HIGHEST} in place of {@link MatmulPrecision#HIGH} where HIGH would save no
     * time. It depends on the model alone, so that bits depend neither on the batch nor on the devices.
     */
    public static KernelOptions forModel(DitConfig config, KernelOptions options) {
        if (options.precision() != MatmulPrecision.HIGH) {
            return options;
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
     * @throws DeviceUnavailableException when the tensor cores are asked for and cannot serve
     */
    public static KernelChoice of(ListedDevice device, DitConfig config, KernelOptions options) {
        if (options.tier() == Tier.PORTABLE) {
            return new KernelChoice(new PortableOperations(options.tuning()), "as asked");
        }
        Optional<String> refusal = refusal(device, config);
        if (refusal.isEmpty() && (options.tier() == Tier.WGMMA || TornadoDevices.sdkIsPresent())) {
            return new KernelChoice(
                    new TensorOperations(options.precision(), device.computeUnits(), options.tuning()),
                    device.capability().map(c -> "capability " + c).orElse("emulated"));
        }
        if (options.tier() == Tier.WGMMA) {
            throw new DeviceUnavailableException("tensor cores cannot serve on " + device.name() + ": "
                    + refusal.orElse("") + "; leave out --kernels");
        }
        return new KernelChoice(
                new PortableOperations(options.tuning()), refusal.orElse("the emulation runs them faster"));
    }

    /** The decoder's kernels: of the same tier, if the autoencoder's sizes allow. */
    public DecoderTier decoder(VaeConfig config) {
        return operations.decoder(config);
    }

    /** Why a device's tensor cores cannot serve; empty if they can, also where tornado-host emulates them. */
    private static Optional<String> refusal(ListedDevice device, DitConfig config) {
        Optional<String> ofModel = TensorOperations.refusal(config);
        if (ofModel.isPresent() || !TornadoDevices.sdkIsPresent()) {
            return ofModel;
        }
        if (!device.capability().equals(Optional.of("9.0"))) {
            return Optional.of("tensor cores need compute capability 9.0, this is "
                    + device.capability().orElse(device.backend()));
        }
        return switch (Installation.installFromClassPath()) {
            case Installation.Installed installed -> Optional.empty();
            case Installation.Refused refused -> Optional.of(refused.reason());
        };
    }
}
