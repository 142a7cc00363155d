package org.tornadodit.runner;

import java.util.Locale;
import org.tornadodit.scheduler.KernelOptions;
import org.tornadodit.scheduler.MatmulPrecision;
import picocli.CommandLine.Option;

/** Which kernels serve a device: the options of every command that runs some. */
final class KernelArguments {
    @Option(
            names = "--matmul-precision",
            paramLabel = "highest|high",
            defaultValue = "highest",
            description = "highest: every product as accurate as FP32's; high: operands rounded to FP16, sums in FP32,"
                    + " never worse than TF32, where the device has the tensor cores for it. Default: ${DEFAULT-VALUE}")
    MatmulPrecision precision = MatmulPrecision.HIGHEST;

    @Option(
            names = "--kernels",
            paramLabel = "auto|portable|tensor",
            defaultValue = "auto",
            description = "GPU kernels: tensor: those for tensor cores (NVIDIA Hopper); portable: FP32 on any device;"
                    + " auto: the best that device and model allow. Default: ${DEFAULT-VALUE}")
    KernelOptions.Tier kernels = KernelOptions.Tier.AUTO;

    /** Which kernels are asked for. */
    KernelOptions options() {
        return new KernelOptions(precision, kernels);
    }

    /** The precision as it is written on the command line. */
    String precisionName() {
        return precision.name().toLowerCase(Locale.ROOT);
    }
}
