package org.tornadodit.runner.option;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.tornadodit.kernels.ptx.KernelCompiler;
import org.tornadodit.pipeline.setup.DeviceChoice;
import org.tornadodit.pipeline.setup.Machine;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.device.TornadoProperties;
import org.tornadodit.scheduler.plan.MeshRequest;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where a model runs. */
public final class DeviceOptions {

    private static final String VIRTUAL = "cpu:";

    /** The engines. */
    enum Device {
        AUTO,
        CPU,
        TORNADO
    }

    /**
     * What was chosen.
     *
     * @param devices TornadoVM's; none for the CPU engine
     * @param weights how fast each is, as the user has it; empty where the rates are to tell
     * @param failFast whether the first failure of a device ends the run
     * @param division how a run is to be divided among them
     * @param reason why, for the user
     */
    public record Chosen(
            List<ListedDevice> devices, List<Double> weights, boolean failFast, MeshRequest division, String reason) {
        public boolean cpu() {
            return devices.isEmpty();
        }

        /** Whether they are emulated on the processor: without TornadoVM there are no others. */
        public boolean emulated() {
            return !cpu() && !TornadoDevices.sdkIsPresent();
        }
    }

    @Option(
            names = "--device",
            paramLabel = "auto|cpu|tornado",
            defaultValue = "auto",
            description =
                    "cpu: the CPU engine; tornado: a device of TornadoVM; auto: a GPU where TornadoVM finds one, else"
                            + " the CPU. Default: ${DEFAULT-VALUE}")
    Device device = Device.AUTO;

    @Option(
            names = "--devices",
            paramLabel = "INDEX|cpu:N",
            split = ",",
            description =
                    "Which devices of TornadoVM, as ./dit devices counts them, separated by commas; the samples of a"
                            + " batch are divided among them, and samples too where they are fewer. cpu:4 stands for"
                            + " four devices that are emulated on the processor, for tests with tiny models: a thousand"
                            + " times slower than --device cpu. Default: the first GPU and all others of its kind")
    List<String> names = List.of();

    @Option(
            names = "--device-weights",
            paramLabel = "WEIGHT",
            split = ",",
            description =
                    "How fast the devices are in proportion to each other, as in 2,1: samples are divided accordingly."
                            + " Default: their rates, which are equal for devices of one kind")
    List<Double> weights = List.of();

    @Mixin
    public final DivisionOptions division = new DivisionOptions();

    @Option(
            names = "--fail-fast",
            description =
                    "Stop when a device fails. Without it, the device is left out, and the others do its samples; the"
                            + " picture stays the same")
    boolean failFast;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of the CPU engine. Default: one for each processor")
    public int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--no-kernel-cache",
            description =
                    "Compile all GPU kernels anew, and keep none. Without it, what was compiled is kept in a folder of"
                            + " the user's cache, and the next start takes it from there")
    public boolean noKernelCache;

    /**
     * Finds the device.
     *
     * @param notice takes lines for the user on kernels that are kept
     * @throws DeviceUnavailableException when TornadoVM was asked for, and is not there or has no such device
     * @throws IllegalArgumentException when options contradict each other
     */
    public Chosen choose(Surroundings surroundings, Consumer<String> notice) {
        requireThreads();
        if (!noKernelCache) {
            KernelCompiler.fromClassPath().keep(Machine.kernelFolder(), TornadoProperties.all(), notice);
        }
        return chosen(surroundings);
    }

    /**
     * Finds the device for a pipeline, which keeps kernels itself.
     *
     * @throws DeviceUnavailableException when TornadoVM was asked for, and is not there or has no such device
     * @throws IllegalArgumentException when options contradict each other
     */
    public Chosen chooseForPipeline(Surroundings surroundings) {
        requireThreads();
        division.refuseAny("on serve, whose devices divide requests as --plan auto says; leave it out");
        return chosen(surroundings);
    }

    private void requireThreads() {
        if (threads < 1 || threads > 4096) {
            throw new IllegalArgumentException("--threads is " + threads + ", expected 1 to 4096");
        }
    }

    private Chosen chosen(Surroundings surroundings) {
        DeviceChoice found = find(words(surroundings));
        Chosen chosen = new Chosen(found.devices(), weights, failFast, division.request(), found.reason());
        if (!weights.isEmpty()
                && !chosen.cpu()
                && weights.size() != chosen.devices().size()) {
            throw new IllegalArgumentException("--device-weights is a list of %d, the devices are %d"
                    .formatted(weights.size(), chosen.devices().size()));
        }
        for (double weight : weights) {
            if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "--device-weights has " + weight + ", expected numbers greater than 0");
            }
        }
        return chosen;
    }

    /** Weights of the devices, as a pipeline's builder takes them. */
    public double[] weightsOfPipeline() {
        return weights.stream().mapToDouble(weight -> weight).toArray();
    }

    /** Whether the first failure of a device ends a request. */
    public boolean failsFast() {
        return failFast;
    }

    private static DeviceChoice.Words words(Surroundings surroundings) {
        return new DeviceChoice.Words(surroundings.sdkProblem(), "--device cpu", "--devices cpu:%d", "./dit devices");
    }

    private DeviceChoice find(DeviceChoice.Words words) {
        if (device == Device.CPU) {
            if (!names.isEmpty()) {
                throw new IllegalArgumentException("--devices counts TornadoVM's devices, but --device is cpu");
            }
            return DeviceChoice.ofCpu(DeviceChoice.ASKED_FOR);
        }
        if (names.stream().anyMatch(name -> name.startsWith(VIRTUAL))) {
            return DeviceChoice.emulated(virtual(), words);
        }
        List<Integer> indices = indices();
        if (!indices.isEmpty()) {
            return DeviceChoice.numbered(indices, words);
        }
        return device == Device.TORNADO ? DeviceChoice.tornado(words) : DeviceChoice.automatic(words);
    }

    /** Number of devices that are emulated on the host. */
    private int virtual() {
        String count = names.getFirst()
                .substring(Math.min(VIRTUAL.length(), names.getFirst().length()));
        if (names.size() != 1 || !count.matches("[1-9][0-9]?")) {
            throw new IllegalArgumentException(
                    "--devices is %s, expected cpu:N alone, with N from 1 to 99".formatted(String.join(",", names)));
        }
        return Integer.parseInt(count);
    }

    private List<Integer> indices() {
        List<Integer> indices = new ArrayList<>();
        for (String name : names) {
            if (!name.matches("[0-9]{1,4}")) {
                throw new IllegalArgumentException(
                        "--devices has \"%s\", expected numbers of devices, or cpu:N".formatted(name));
            }
            int index = Integer.parseInt(name);
            if (indices.contains(index)) {
                throw new IllegalArgumentException("--devices names device " + index + " twice");
            }
            indices.add(index);
        }
        return indices;
    }
}
