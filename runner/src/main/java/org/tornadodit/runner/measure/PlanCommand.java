package org.tornadodit.runner.measure;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tornadodit.model.ByteCount;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.runner.option.KernelArguments;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.scheduler.graph.MeshCost;
import org.tornadodit.scheduler.plan.Mesh;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Says how GPUs can divide a batch, and what a step should then take. */
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Says how a number of H100s or H200s can divide a batch of a model, and what a step should then take by"
                    + " the cost model that --plan auto chooses by. Needs no GPU and no weights.",
            "The last column is 'same' where the picture has the bits of one device, which --plan auto asks for,"
                    + " 'FP32' where it is as accurate."
        },
        footerHeading = "%nExamples:%n",
        footer = {"  dit plan --image-size 512 --batch 1 --gpus 4", "  dit plan --model DiT-L/2 --batch 2 --gpus 8"})
public final class PlanCommand implements Callable<Integer> {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Mixin
    ModelOptions modelOptions = new ModelOptions();

    @Mixin
    KernelArguments kernelArguments = new KernelArguments();

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "1",
            description = "Samples of a batch. Default: ${DEFAULT-VALUE}")
    int batch = 1;

    @Option(
            names = "--gpus",
            paramLabel = "N",
            defaultValue = "2",
            description = "Devices, of one machine and one kind. Default: ${DEFAULT-VALUE}")
    int gpus = 2;

    @Option(names = "--unguided", description = "Samples without guidance, of one pass each")
    boolean unguided;

    private record Row(Mesh mesh, MeshCost cost) {}

    @Override
    public Integer call() {
        if (batch < 1 || batch > 1024) {
            throw usage("--batch is " + batch + ", expected 1 to 1024");
        }
        if (gpus < 1 || gpus > 64) {
            throw usage("--gpus is " + gpus + ", expected 1 to 64");
        }
        DitConfig config;
        try {
            config = ModelSizes.of(modelOptions, Surroundings.read());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        Map<Mesh, MeshCost> costs = MeshCost.ofHopper(
                config, batch, !unguided, gpus, kernelArguments.options(config).precision());
        List<Row> rows = new ArrayList<>();
        costs.forEach((mesh, cost) -> rows.add(new Row(mesh, cost)));
        double alone = costs.get(Mesh.ONE) == null ? 0 : costs.get(Mesh.ONE).seconds();
        rows.sort(Comparator.comparingDouble((Row row) -> row.cost().seconds())
                .thenComparing(row -> row.mesh().devices()));
        int width = rows.stream()
                .mapToInt(row -> row.mesh().options().length())
                .max()
                .orElse(0);
        PrintWriter out = spec.commandLine().getOut();
        out.println(String.format(
                Locale.ROOT,
                "%-" + width + "s %4s %9s %7s %12s %12s  %s",
                "options",
                "GPUs",
                "step, ms",
                "faster",
                "sent a step",
                "memory each",
                "bits"));
        for (Row row : rows) {
            out.println(String.format(
                    Locale.ROOT,
                    "%-" + width + "s %4d %9.2f %7.2f %12s %12s  %s",
                    row.mesh().options(),
                    row.mesh().devices(),
                    1e3 * row.cost().seconds(),
                    alone / row.cost().seconds(),
                    ByteCount.of(row.cost().sent()),
                    ByteCount.of(row.cost().memory()),
                    row.mesh().exactness().word()));
        }
        return ExitCode.DONE;
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
