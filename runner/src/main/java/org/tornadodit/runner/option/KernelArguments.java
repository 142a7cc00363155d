package org.tornadodit.runner.option;

import java.util.Arrays;
import java.util.Locale;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.graph.KernelChoice;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which kernels serve a device: the options of every command that runs some. */
public final class KernelArguments {
    @Option(
            names = "--matmul-precision",
            paramLabel = "highest|higher|high",
            defaultValue = "highest",
            description =
                    "highest: every product as accurate as FP32's; higher: the blocks' linear layers with one product"
                            + " in FP16 and two in FP8, an error of 1e-5; high: the operands of the blocks' products"
                            + " rounded to FP16 on tensor cores, which changes a picture by less than 0.01 of 255 levels"
                            + " in the mean. Default: ${DEFAULT-VALUE}")
    MatmulPrecision precision = MatmulPrecision.HIGHEST;

    @Option(
            names = "--kernels",
            paramLabel = "auto|portable|mma|wgmma",
            defaultValue = "auto",
            converter = TierName.class,
            description =
                    "GPU kernels: wgmma: for the tensor cores of NVIDIA Hopper; mma: for those of any NVIDIA GPU from"
                            + " Volta on; portable: FP32 on any device; auto: wgmma where device and model allow, else"
                            + " portable. Default: ${DEFAULT-VALUE}")
    public KernelOptions.Tier kernels = KernelOptions.Tier.AUTO;

    /** A tier by its word, or by {@code tensor}, which was the word for wgmma. */
    static final class TierName implements ITypeConverter<KernelOptions.Tier> {
        @Override
        public KernelOptions.Tier convert(String value) {
            String word = value.toLowerCase(Locale.ROOT);
            for (KernelOptions.Tier tier : KernelOptions.Tier.values()) {
                if (tier.word().equals(word.equals("tensor") ? "wgmma" : word)) {
                    return tier;
                }
            }
            throw new TypeConversionException("expected one of %s (case-insensitive) but was '%s'"
                    .formatted(Arrays.toString(KernelOptions.Tier.values()), value));
        }
    }

    /** Which kernels a model gets. */
    public KernelOptions options(DitConfig config) {
        return KernelChoice.forModel(config, options());
    }

    /** Which kernels are asked for. */
    public KernelOptions options() {
        return new KernelOptions(precision, kernels);
    }

    /** The precision as it is written on the command line. */
    public String precisionName() {
        return precision.name().toLowerCase(Locale.ROOT);
    }
}
