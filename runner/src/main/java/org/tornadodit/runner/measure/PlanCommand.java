package org.tornadodit.runner.measure;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.ByteCount;
import org.tornadodit.model.Printable;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.runner.option.KernelArguments;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.report.MeasuredSteps;
import org.tornadodit.runner.report.MeasuredSteps.Measured;
import org.tornadodit.runner.report.MeasuredSteps.Workload;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.scheduler.device.DeviceLink;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.graph.MeshCost;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Mesh;
import picocli.CommandLine.Command;
import picocli.CommandLine.IModelTransformer;
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
        modelTransformer = PlanCommand.WithoutIdle.class,
        description = {
            "Says how a number of H100s or H200s can divide a batch of a model, and what a step should then take by"
                    + " the cost model that --plan auto chooses by. Needs no GPU and no weights.",
            "Bits are 'same' where the picture has the bits of one device, which --plan auto asks for, 'FP32' where it"
                    + " is as accurate. Behind it, steps that bench step --json has recorded, and on what."
        },
        footerHeading = "%nExamples:%n",
        footer = {"  dit plan --image-size 512 --batch 1 --gpus 4", "  dit plan --model DiT-L/2 --batch 2 --gpus 8"})
public final class PlanCommand implements Callable<Integer> {

    /** The cost model is of Hopper's kernels and of a step: other kernels and a decoder would change nothing. */
    static final class WithoutIdle implements IModelTransformer {
        @Override
        public CommandSpec transform(CommandSpec spec) {
            spec.remove(spec.findOption("--kernels"));
            spec.remove(spec.findOption("--vae"));
            return spec;
        }
    }

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

    @Option(
            names = "--link",
            paramLabel = "nvlink|host|found",
            defaultValue = "nvlink",
            description =
                    "How the devices reach each other: over NVLink; through the host's memory, as where GPUs have no"
                            + " peer access, at PCIe 4.0's rate; or as found on this machine. Default: ${DEFAULT-VALUE}")
    String linked = "nvlink";

    @Option(names = "--unguided", description = "Samples without guidance, of one pass each")
    boolean unguided;

    @Option(
            names = "--records",
            paramLabel = "FOLDER",
            description = "Where bench step --json has recorded steps, which are shown beside the predicted ones."
                    + " Default: results in the project's folder")
    @Nullable
    Path records;

    private record Row(Mesh mesh, MeshCost cost, Optional<Measured> measured) {}

    @Override
    public Integer call() throws IOException {
        if (batch < 1 || batch > 1024) {
            throw usage("--batch is " + batch + ", expected 1 to 1024");
        }
        if (gpus < 1 || gpus > 64) {
            throw usage("--gpus is " + gpus + ", expected 1 to 64");
        }
        Link link = link();
        DitConfig config;
        try {
            config = ModelSizes.of(modelOptions, Surroundings.read());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        Map<Mesh, MeshCost> costs = MeshCost.ofHopper(
                config, batch, !unguided, gpus, kernelArguments.options(config).precision(), link);
        if (records != null && !Files.isDirectory(records)) {
            throw usage("--records: there is no folder " + Printable.path(records));
        }
        List<String> refused = new ArrayList<>();
        MeasuredSteps measured = MeasuredSteps.of(
                records != null ? records : Surroundings.read().home().resolve("results"), refused);
        refused.forEach(line -> spec.commandLine().getErr().println("not used: " + line));
        Workload workload =
                new Workload(modelOptions.model, config.imageSize(), batch, !unguided, kernelArguments.precisionName());
        List<Row> rows = new ArrayList<>();
        // What was measured of several devices was measured between peers.
        costs.forEach((mesh, cost) -> rows.add(new Row(
                mesh,
                cost,
                link == Link.PEERS || mesh.ranks() == 1 ? measured.newest(workload, mesh) : Optional.empty())));
        double alone = costs.get(Mesh.ONE) == null ? 0 : costs.get(Mesh.ONE).seconds();
        rows.sort(Comparator.comparingDouble((Row row) -> row.cost().seconds())
                .thenComparing(row -> row.mesh().devices()));
        int width = rows.stream()
                .mapToInt(row -> row.mesh().options().length())
                .max()
                .orElse(0);
        PrintWriter out = spec.commandLine().getOut();
        out.println(line(
                "%-" + width + "s %4s %9s %7s %12s %12s  %-11s%s",
                "options",
                "GPUs",
                "step, ms",
                "faster",
                "sent a step",
                "memory each",
                "bits",
                rows.stream().anyMatch(row -> row.measured().isPresent()) ? " measured, ms" : ""));
        for (Row row : rows) {
            out.println(line(
                    "%-" + width + "s %4d %9.2f %7.2f %12s %12s  %-11s%s",
                    row.mesh().options(),
                    row.mesh().devices(),
                    1e3 * row.cost().seconds(),
                    alone / row.cost().seconds(),
                    ByteCount.of(row.cost().sent()),
                    ByteCount.of(row.cost().memory()),
                    row.mesh().exactness().word(),
                    row.measured().map(PlanCommand::cell).orElse("")));
        }
        return ExitCode.DONE;
    }

    private Link link() {
        if (!linked.equals("found")) {
            return Arrays.stream(Link.values())
                    .filter(each -> each.word().equals(linked))
                    .findFirst()
                    .orElseThrow(
                            () -> usage("--link is " + Printable.text(linked) + ", expected nvlink, host or found"));
        }
        if (!TornadoDevices.sdkIsPresent()) {
            throw new DeviceUnavailableException("--link found asks TornadoVM's devices: "
                    + Surroundings.read().sdkProblem());
        }
        List<ListedDevice> found =
                TornadoDevices.list().stream().filter(ListedDevice::isGpu).toList();
        if (found.size() < gpus) {
            throw new DeviceUnavailableException(
                    "--link found wants %d GPUs, TornadoVM sees %d; give --gpus %d, or --link nvlink or host"
                            .formatted(gpus, found.size(), Math.max(1, found.size())));
        }
        DeviceLink link = DeviceLink.of(found.subList(0, gpus));
        if (!link.exists()) {
            throw new DeviceUnavailableException("the GPUs exchange nothing within a step: " + link.reason());
        }
        return link.link();
    }

    private static String line(String format, Object... cells) {
        return String.format(Locale.ROOT, format, cells).stripTrailing();
    }

    private static String cell(Measured measured) {
        return String.format(Locale.ROOT, " %.2f, %s, %s", measured.ms(), measured.device(), measured.day());
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
