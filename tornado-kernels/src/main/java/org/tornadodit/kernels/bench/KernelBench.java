package org.tornadodit.kernels.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.tornadodit.kernels.check.KernelCase;
import org.tornadodit.kernels.check.ModelCases;
import org.tornadodit.kernels.check.SmallCases;
import org.tornadodit.kernels.ptx.Installation;
import org.tornadodit.kernels.ptx.KernelCompiler;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;

/**
 * Times every kernel at the model's shapes, each right after its check; a kernel that fails its check is not timed.
 * Times are the device's own, medians over the executions.
 *
 * <p>{@code KernelBench [model|transformer|decoder|small] [name part]}; exit code 1 when a check fails.
 */
public final class KernelBench {
    private static final int SAMPLES = 500;
    private static final int WARM_UP = 2;
    private static final int EXECUTIONS = 7;

    private KernelBench() {}

    public static void main(String[] arguments) throws TornadoExecutionPlanException {
        String set = arguments.length > 0 ? arguments[0] : "model";
        String part = arguments.length > 1 ? arguments[1] : "";
        Installation.Outcome instructions = Installation.installFromClassPath();
        System.out.println("PTX instructions " + instructions);
        boolean tensorCores = instructions instanceof Installation.Installed installed
                && installed.devices().getFirst().hasWarpgroupInstructions();
        boolean passed = run(cases(set, tensorCores), part, System.out);
        if (!passed) {
            System.exit(1);
        }
    }

    private static List<Supplier<KernelCase>> cases(String set, boolean tensorCores) {
        return switch (set) {
            case "model" -> ModelCases.all(tensorCores);
            case "transformer" -> ModelCases.transformer(tensorCores);
            case "decoder" -> ModelCases.decoder(tensorCores);
            case "small" -> tensorCores ? SmallCases.all() : SmallCases.portable();
            default ->
                throw new IllegalArgumentException(
                        "no set of kernels \"" + set + "\": model, transformer, decoder or small");
        };
    }

    /** Checks and times the cases in whose name the regular expression {@code part} is found; false when a check failed. */
    public static boolean run(List<Supplier<KernelCase>> cases, String part, PrintStream out)
            throws TornadoExecutionPlanException {
        List<String> failed = new ArrayList<>();
        KernelCompiler compiler = KernelCompiler.fromClassPath();
        TornadoDevice device = TornadoExecutionPlan.getDevice(0, 0);
        out.printf("%-18s %-28s %10s %10s %10s %10s%n", "kernel", "shape", "error", "ms", "TFLOP/s", "GB/s");
        for (Supplier<KernelCase> supplier : cases) {
            KernelCase kernel = supplier.get();
            if (!Pattern.compile(part).matcher(kernel.name()).find()) {
                continue;
            }
            compiler.prepare();
            ImmutableTaskGraph graph = kernel.graph().snapshot();
            GridScheduler grids = kernel.scheduler();
            try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph)) {
                plan.withDevice(device).withGridScheduler(grids).withProfiler(ProfilerMode.SILENT);
                // What engines run, and checks of the text that TornadoVM's own compilation does not make.
                compiler.begin(plan, device, List.of(graph), grids, (done, kernels) -> {})
                        .finish();
                TornadoExecutionResult result = plan.execute();
                result.transferToHost(kernel.output());
                double error = kernel.error(SAMPLES);
                if (!(error <= kernel.bound())) {
                    failed.add(kernel.name() + " " + kernel.shape());
                    out.printf(
                            Locale.ROOT,
                            "%-18s %-28s %10.2e above %.2e, not timed%n",
                            kernel.name(),
                            kernel.shape(),
                            error,
                            kernel.bound());
                    continue;
                }
                double seconds = seconds(plan);
                out.printf(
                        Locale.ROOT,
                        "%-18s %-28s %10.2e %10.4f %10.2f %10.1f%n",
                        kernel.name(),
                        kernel.shape(),
                        error,
                        seconds * 1e3,
                        kernel.flop() / seconds / 1e12,
                        kernel.bytes() / seconds / 1e9);
            }
        }
        out.println(failed.isEmpty() ? "All checks passed." : "Failed: " + failed);
        return failed.isEmpty();
    }

    private static double seconds(TornadoExecutionPlan plan) {
        double[] times = new double[EXECUTIONS];
        for (int i = -WARM_UP; i < EXECUTIONS; i++) {
            long nanoseconds = plan.execute().getProfilerResult().getDeviceKernelTime();
            if (i >= 0) {
                times[i] = nanoseconds * 1e-9;
            }
        }
        Arrays.sort(times);
        return times[EXECUTIONS / 2];
    }
}
