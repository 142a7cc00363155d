package org.tornadodit.pipeline.setup;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.cpu.CpuOptions;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.FaultPolicy;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.Startup;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.graph.MeshChoice;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.MeshRequest;
import org.tornadodit.scheduler.run.CpuEngine;
import org.tornadodit.scheduler.run.DeviceTeam;
import org.tornadodit.scheduler.run.ShardedEngine;
import org.tornadodit.scheduler.tune.DeviceRates;

/**
 * All that decides an engine.
 *
 * @param devices TornadoVM's; none for the CPU engine
 * @param speeds how fast each device is, as the user has it; empty where the rates are to tell
 * @param failFast whether the first failure of a device ends a run
 * @param threads of the CPU engine
 * @param kernels of the devices, as they are asked for
 * @param hostNoise whether devices get their noise from the host, as they do for PyTorch's CPU generator
 * @param shape a largest batch
 * @param division among the devices, as it is asked for
 */
public record EngineSetup(
        DitConfig config,
        VaeConfig vaeConfig,
        List<ListedDevice> devices,
        List<Double> speeds,
        boolean failFast,
        int threads,
        KernelOptions kernels,
        boolean hostNoise,
        SamplingRequest shape,
        MeshRequest division) {

    /** The setup that was asked last how it is divided: a start asks several times, and each time all meshes are weighed. */
    private static volatile @Nullable Divided last;

    private record Divided(EngineSetup setup, Mesh mesh) {}

    public EngineSetup {
        devices = List.copyOf(devices);
        speeds = List.copyOf(speeds);
    }

    /** Whether the CPU engine serves. */
    public boolean cpu() {
        return devices.isEmpty();
    }

    /** No more devices than have something to do. */
    public List<ListedDevice> devicesInUse() {
        return cpu() ? devices : devices.subList(0, mesh().devices());
    }

    /**
     * How the devices divide the run.
     *
     * @throws IllegalArgumentException when what is asked for is not possible, with the reason
     */
    public Mesh mesh() {
        if (cpu()) {
            throw new IllegalStateException("the CPU engine divides nothing");
        }
        if (devices.size() == 1 && !division.isExplicit()) {
            return Mesh.ONE;
        }
        Divided known = last;
        if (known == null || !known.setup().equals(this)) {
            known = new Divided(this, chosen());
            last = known;
        }
        return known.mesh();
    }

    private Mesh chosen() {
        KernelOptions ofModel = KernelChoice.forModel(config, kernels);
        return new MeshChoice(
                        config,
                        shape.guided(),
                        shape.samples(),
                        devices,
                        device -> KernelChoice.of(device, config, ofModel).operations())
                .mesh(division);
    }

    /** A device's rates with these kernels. */
    public DeviceRates.Rate rate(DeviceRates rates, ListedDevice device) {
        return rates.of(device, config, KernelChoice.forModel(config, kernels));
    }

    /**
     * The devices in use, with the speeds that the user or the rates give them.
     *
     * @param report takes a line about each device that fails
     */
    public DeviceTeam team(DeviceRates rates, Consumer<String> report) {
        List<ListedDevice> used = devicesInUse();
        List<Double> each = speeds.isEmpty()
                ? used.stream().map(device -> rate(rates, device).denoiser()).toList()
                : speeds.subList(0, used.size());
        return new DeviceTeam(
                used,
                each,
                new FaultPolicy(failFast, FaultPolicy.KEEP_STEPS, FaultPolicy.KEEP_SECONDS, report),
                mesh());
    }

    /** All that decides how numbers are rounded: engines of which this is the same make the same bits. */
    public String arithmetic() {
        if (cpu()) {
            return "cpu, vectors of %d floats".formatted(CpuOptions.vectorLanes());
        }
        ListedDevice device = devices.getFirst();
        String tier = KernelChoice.of(device, config, KernelChoice.forModel(config, kernels))
                .operations()
                .tier()
                .word();
        return device.backend()
                + device.capability().map(capability -> " " + capability).orElse("") + ", " + tier;
    }

    /** What was tuned for these devices. */
    public DeviceTuning tuning() {
        return cpu() ? DeviceTuning.NONE : DeviceTuning.of(devicesInUse(), config, kernels, shape, mesh());
    }

    /**
     * Reads the weights into an engine.
     *
     * @param tuned of its kernels
     * @param report takes a line about each device that fails
     * @param startup hears what is done
     * @throws org.tornadodit.model.io.file.CheckpointException when the files do not fit the model, or changed meanwhile
     * @throws org.tornadodit.scheduler.device.DeviceUnavailableException when a device is too small or its memory in use
     */
    public Engine load(
            Checkpoint weights,
            Checkpoint vaeWeights,
            DeviceTuning tuned,
            DeviceRates rates,
            Consumer<String> report,
            Startup startup) {
        return WeightFiles.of(weights, vaeWeights).read(() -> {
            DitWeights dit;
            VaeWeights vae;
            try (Startup.Running running = startup.begin("", "reading weights")) {
                dit = DitWeights.load(weights, config);
                vae = VaeWeights.load(vaeWeights, vaeConfig);
            }
            return cpu()
                    ? new CpuEngine(config, dit, vaeConfig, vae, threads, shape.samples())
                    : new ShardedEngine(
                            team(rates, report),
                            config,
                            dit,
                            vaeConfig,
                            vae,
                            shape,
                            hostNoise,
                            KernelChoice.forModel(config, kernels).with(tuned.tuning()),
                            startup);
        });
    }
}
