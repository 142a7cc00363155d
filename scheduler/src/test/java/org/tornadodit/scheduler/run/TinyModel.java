package org.tornadodit.scheduler.run;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.tensor.TensorSpec;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.FaultPolicy;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.plan.Mesh;

/**
 * The smallest model that goes through all graphs, with random weights: 16 x 16 pixels of four tokens. The emulation of
 * a device runs it in tenths of a second, where it takes seconds for the references' models.
 */
public final class TinyModel {
    static final DitConfig CONFIG = new DitConfig(2, 1, 4, 32, 1, 2, 2.0, 6, true);
    static final VaeConfig VAE = new VaeConfig(List.of(8, 8, 8, 8), 1, 4, 3, 4, 1e-6, 0.5, true, false);

    /** The smallest that the tensor cores' kernels take: 16 tokens. */
    static final DitConfig TENSOR_CONFIG = new DitConfig(4, 1, 4, 32, 1, 2, 2.0, 6, true);

    /** The narrowest decoder that the tensor cores' kernels take and that has everything: a shortcut, attention. */
    static final VaeConfig TENSOR_VAE = new VaeConfig(List.of(16, 16, 16, 32), 1, 4, 3, 4, 1e-6, 0.5, true, true);

    private static final VaeWeights TENSOR_VAE_WEIGHTS =
            VaeWeights.load(random(VaeWeights.specs(TENSOR_VAE), 4), TENSOR_VAE);

    private static final DitWeights TENSOR_WEIGHTS =
            DitWeights.load(random(DitWeights.specs(TENSOR_CONFIG), 3), TENSOR_CONFIG);

    private static final DitWeights WEIGHTS = DitWeights.load(random(DitWeights.specs(CONFIG), 1), CONFIG);
    static final VaeWeights VAE_WEIGHTS = VaeWeights.load(random(VaeWeights.specs(VAE), 2), VAE);

    /** A pixel for each latent, where most of the time would be the decoder's. */
    static final VaeConfig PIXEL_VAE = new VaeConfig(List.of(8), 1, 4, 3, 4, 1e-6, 0.5, true, false);

    static final VaeWeights PIXEL_VAE_WEIGHTS = vaeWeights(PIXEL_VAE);

    private TinyModel() {}

    /** A team of the first devices, the reports of which go to a list. */
    static DeviceTeam team(int devices, int keepSteps, List<String> reports) {
        List<Double> speeds = new ArrayList<>();
        for (int i = 0; i < devices; i++) {
            speeds.add(1.0);
        }
        List<ListedDevice> listed = TornadoDevices.list().subList(0, devices);
        return new DeviceTeam(listed, speeds, new FaultPolicy(false, keepSteps, 0, reports::add));
    }

    /** As many virtual devices as a mesh has, as that divides them. */
    static DeviceTeam team(Mesh mesh, int keepSteps, List<String> reports) {
        HostRuntime.get().setDeviceCount(mesh.devices());
        DeviceTeam equal = team(mesh.devices(), keepSteps, reports);
        return new DeviceTeam(equal.devices(), equal.speeds(), equal.policy(), mesh);
    }

    static ShardedEngine engine(DeviceTeam team, SamplingRequest shape, boolean hostNoise) {
        return new ShardedEngine(team, CONFIG, WEIGHTS, VAE, VAE_WEIGHTS, shape, hostNoise, KernelOptions.DEFAULT);
    }

    /** On weights of which one has a value of the caller's in the middle. */
    static ShardedEngine engine(DeviceTeam team, SamplingRequest shape, String spoiled, float value) {
        return new ShardedEngine(
                team,
                CONFIG,
                DitWeights.load(spoil(random(DitWeights.specs(CONFIG), 1), spoiled, value), CONFIG),
                VAE,
                VaeWeights.load(spoil(random(VaeWeights.specs(VAE), 2), spoiled, value), VAE),
                shape,
                false,
                KernelOptions.DEFAULT);
    }

    /** The same on the tensor cores' kernels. */
    static ShardedEngine tensorEngine(DeviceTeam team, SamplingRequest shape, String spoiled, float value) {
        return new ShardedEngine(
                team,
                TENSOR_CONFIG,
                DitWeights.load(spoil(random(DitWeights.specs(TENSOR_CONFIG), 3), spoiled, value), TENSOR_CONFIG),
                TENSOR_VAE,
                TENSOR_VAE_WEIGHTS,
                shape,
                false,
                new KernelOptions(MatmulPrecision.HIGHEST, KernelOptions.Tier.WGMMA));
    }

    /** On the tensor cores' kernels, the transformer's and the decoder's. */
    static ShardedEngine tensorEngine(
            DeviceTeam team, SamplingRequest shape, boolean hostNoise, MatmulPrecision precision) {
        return tensorEngine(team, shape, hostNoise, new KernelOptions(precision, KernelOptions.Tier.WGMMA));
    }

    static ShardedEngine tensorEngine(DeviceTeam team, SamplingRequest shape, KernelOptions options) {
        return tensorEngine(team, shape, false, options);
    }

    private static ShardedEngine tensorEngine(
            DeviceTeam team, SamplingRequest shape, boolean hostNoise, KernelOptions options) {
        return new ShardedEngine(
                team, TENSOR_CONFIG, TENSOR_WEIGHTS, TENSOR_VAE, TENSOR_VAE_WEIGHTS, shape, hostNoise, options);
    }

    /** One device's engine without anything around it, of the model and decoder that the tensor cores' kernels take. */
    static TornadoEngine plainTensorEngine(SamplingRequest shape, KernelOptions options) {
        return new TornadoEngine(
                TornadoDevices.list().getFirst(),
                "plain_",
                TENSOR_CONFIG,
                TENSOR_WEIGHTS,
                TENSOR_VAE,
                TENSOR_VAE_WEIGHTS,
                shape,
                false,
                options);
    }

    static CpuEngine cpuEngine() {
        return new CpuEngine(CONFIG, WEIGHTS, VAE, VAE_WEIGHTS, 2);
    }

    /** The CPU engine with so many places in a pass. */
    static CpuEngine cpuEngine(int most) {
        return new CpuEngine(CONFIG, WEIGHTS, VAE, VAE_WEIGHTS, 2, most);
    }

    /** The CPU engine on weights of which one has a value of the caller's in the middle. */
    static CpuEngine cpuEngine(String spoiled, float value) {
        return new CpuEngine(
                CONFIG,
                DitWeights.load(spoil(random(DitWeights.specs(CONFIG), 1), spoiled, value), CONFIG),
                VAE,
                VaeWeights.load(spoil(random(VaeWeights.specs(VAE), 2), spoiled, value), VAE),
                2);
    }

    private static Checkpoint spoil(InMemory checkpoint, String name, float value) {
        if (!checkpoint.names().contains(name)) {
            return checkpoint;
        }
        Tensor tensor = checkpoint.tensor(name);
        float[] values = tensor.toArray();
        values[values.length / 2] = value;
        Map<String, Tensor> tensors = new LinkedHashMap<>(checkpoint.tensors());
        tensors.put(name, Tensor.of(name, tensor.shape(), values));
        return new InMemory(tensors);
    }

    /** The engine without anything around it. */
    static TornadoEngine plainEngine(SamplingRequest shape, boolean hostNoise) {
        return new TornadoEngine(
                TornadoDevices.list().getFirst(),
                "plain_",
                CONFIG,
                WEIGHTS,
                VAE,
                VAE_WEIGHTS,
                shape,
                hostNoise,
                KernelOptions.DEFAULT);
    }

    static SamplingRequest request(int steps, Integer... labels) {
        return request(SamplingMethod.DDPM, steps, labels);
    }

    static SamplingRequest request(SamplingMethod method, int steps, Integer... labels) {
        return new SamplingRequest(List.of(labels), method.of(String.valueOf(steps), 0), 4.0, Guidance.FIRST_THREE);
    }

    /** Bytes in use on all devices of the host. */
    public static long deviceBytes() {
        return HostRuntime.get().devices().stream()
                .mapToLong(device -> device.usedBytes())
                .sum();
    }

    /** Random weights of other sizes. */
    static DitWeights weights(DitConfig config) {
        return DitWeights.load(random(DitWeights.specs(config), 1), config);
    }

    /** Of which one has a value of the caller's in the middle. */
    static DitWeights weights(DitConfig config, String spoiled, float value) {
        return DitWeights.load(spoil(random(DitWeights.specs(config), 1), spoiled, value), config);
    }

    /** Likewise, of other magnitudes: with larger ones attention is sharper. */
    static DitWeights weights(DitConfig config, double largest) {
        return DitWeights.load(random(DitWeights.specs(config), 1, largest), config);
    }

    static VaeWeights vaeWeights(VaeConfig config) {
        return VaeWeights.load(random(VaeWeights.specs(config), 2), config);
    }

    /** Small values, so that a few steps stay finite. */
    private static InMemory random(List<TensorSpec> specs, long seed) {
        return random(specs, seed, 0.15);
    }

    private static InMemory random(List<TensorSpec> specs, long seed, double largest) {
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (TensorSpec spec : specs) {
            float[] values = new float[(int) spec.shape().elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextDouble(-largest, largest);
            }
            tensors.put(spec.name(), Tensor.of(spec.name(), spec.shape(), values));
        }
        return new InMemory(tensors);
    }

    private record InMemory(Map<String, Tensor> tensors) implements Checkpoint {
        @Override
        public Path path() {
            return Path.of("random");
        }

        @Override
        public Set<String> names() {
            return new LinkedHashSet<>(tensors.keySet());
        }

        @Override
        public Shape shape(String name) {
            return tensor(name).shape();
        }

        @Override
        public Tensor tensor(String name) {
            Tensor tensor = tensors.get(name);
            if (tensor == null) {
                throw new IllegalArgumentException(name);
            }
            return tensor;
        }

        @Override
        public void close() {}
    }
}
