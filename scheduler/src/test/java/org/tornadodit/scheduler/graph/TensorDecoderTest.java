package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.kernels.MmaForm;
import org.tornadodit.kernels.TensorCores;
import org.tornadodit.model.RandomCheckpoint;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.cpu.CpuOptions;
import org.tornadodit.model.cpu.CpuVaeDecoder;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.device.DeviceArrays;
import org.tornadodit.scheduler.device.DevicePlan;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.run.TinyModel;
import uk.ac.manchester.tornado.api.GridScheduler;

/** The decoder's graphs on tensor cores, emulated, against the CPU engine. */
class TensorDecoderTest {
    /** A shortcut, an upsampler, attention, two layers that share a graph. */
    private static final VaeConfig CONFIG = new VaeConfig(List.of(16, 32), 1, 4, 3, 8, 1e-6, 0.25, true, true);

    private static final int SIZE = 5;
    private static final int SAMPLES = 2;

    private final Checkpoint checkpoint = new RandomCheckpoint(VaeWeights.specs(CONFIG), 1);

    @BeforeEach
    void aNewDevice() {
        HostRuntime.get().renewDevices(); // other tests leave what failed devices held, and arrays that no graph frees
    }

    @AfterEach
    void nothingIsLeftOnTheDevice() {
        assertEquals(0, TinyModel.deviceBytes());
    }

    /** The images, and the layer that should stop them. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Decoded(float[] images, Optional<String> overflow) {}

    private static float[] latents(int samples) {
        Random random = new Random(2);
        float[] latents = new float[samples * 4 * SIZE * SIZE];
        for (int i = 0; i < latents.length; i++) {
            latents[i] = (float) random.nextGaussian();
        }
        return latents;
    }

    private static Decoded decode(VaeWeights weights, int planes, String name) {
        return decode(weights, planes, name, SAMPLES, 2); // the second pass finds what the first has left
    }

    private static Decoded decode(VaeWeights weights, int planes, String name, int samples, int passes) {
        return decode(weights, DecoderTier.tensorCores(CONFIG, planes, 2), name, samples, passes);
    }

    private static Decoded decode(VaeWeights weights, DecoderTier tier, String name, int samples, int passes) {
        VaeBuffers buffers = new VaeBuffers(CONFIG, SIZE, samples, tier);
        GridScheduler grids = new GridScheduler();
        VaeGraphs graphs = new VaeGraphs(name + "_", CONFIG, weights, buffers);
        try (DevicePlan plan = new DevicePlan(TornadoDevices.list().getFirst(), () -> graphs.build(grids), grids)) {
            graphs.load(plan);
            DeviceArrays.fill(buffers.latents, latents(samples));
            for (int pass = 0; pass < passes; pass++) {
                graphs.decode(plan, samples);
            }
        }
        return new Decoded(buffers.images.toHeapArray(), graphs.overflow());
    }

    @ParameterizedTest
    @CsvSource({"2, 3e-6", "1, 3e-3"})
    void decodesAsTheCpuEngine(int planes, double bound) {
        VaeWeights weights = VaeWeights.load(checkpoint, CONFIG);
        Decoded decoded = decode(weights, planes, "tensor" + planes);
        assertEquals(Optional.empty(), decoded.overflow());
        try (CpuVaeDecoder cpu = new CpuVaeDecoder(CONFIG, weights, new CpuOptions(2, 1 << 24))) {
            TensorAssert.assertRelativeError(
                    "images with " + planes + " planes",
                    Shape.of(SAMPLES, 3, 2 * SIZE, 2 * SIZE),
                    decoded.images(),
                    cpu.decode(latents(SAMPLES), SAMPLES),
                    bound);
        }
    }

    @ParameterizedTest
    @EnumSource(MmaForm.class)
    void decodesWithWarpsAsTheCpuEngine(MmaForm form) {
        VaeWeights weights = VaeWeights.load(checkpoint, CONFIG);
        DecoderTier tier = DecoderTier.tensorCores(CONFIG, 2, TensorCores.Warps.of(form, 2, 8, 0));
        assertEquals(Tier.MMA, tier.tier());
        Decoded decoded = decode(weights, tier, "mma" + form, SAMPLES, 1);
        assertEquals(Optional.empty(), decoded.overflow());
        try (CpuVaeDecoder cpu = new CpuVaeDecoder(CONFIG, weights, new CpuOptions(2, 1 << 24))) {
            TensorAssert.assertRelativeError(
                    "images with " + form,
                    Shape.of(SAMPLES, 3, 2 * SIZE, 2 * SIZE),
                    decoded.images(),
                    cpu.decode(latents(SAMPLES), SAMPLES),
                    3e-6);
        }
    }

    /** Devices and portions make decoders for any number of images: each has the bits of the largest. */
    @ParameterizedTest
    @ValueSource(ints = {2, 1})
    void anyNumberOfImagesHasTheSameBits(int planes) {
        VaeWeights weights = VaeWeights.load(checkpoint, CONFIG);
        float[] all = decode(weights, planes, "nine" + planes, 9, 1).images();
        for (int count = 8; count >= 1; count--) {
            float[] some =
                    decode(weights, planes, "any" + planes + count, count, 1).images();
            assertArrayEquals(Arrays.copyOf(all, some.length), some, count + " images");
        }
    }

    /**
     * A decoder that is made for many images decodes fewer with fewer threads, to the same bits, whatever the pass before has
     * left of the others; theirs stay as they were.
     */
    @ParameterizedTest
    @EnumSource(
            value = Tier.class,
            names = {"PORTABLE", "WGMMA"})
    void fewerImagesTakeFewerThreadsAndHaveTheSameBits(Tier kernels) {
        int most = 5;
        DecoderTier tier = kernels == Tier.PORTABLE ? DecoderTier.PORTABLE : DecoderTier.tensorCores(CONFIG, 2, 2);
        VaeWeights weights = VaeWeights.load(checkpoint, CONFIG);
        VaeBuffers buffers = new VaeBuffers(CONFIG, SIZE, most, tier);
        GridScheduler grids = new GridScheduler();
        VaeGraphs graphs = new VaeGraphs("fewer_" + kernels + "_", CONFIG, weights, buffers);
        try (DevicePlan plan = new DevicePlan(TornadoDevices.list().getFirst(), () -> graphs.build(grids), grids)) {
            graphs.load(plan);
            long allThreads = threads(grids);
            float[] latents = latents(most);
            int image = latents.length / most;
            DeviceArrays.fill(buffers.latents, latents);
            graphs.decode(plan, most);
            float[] all = buffers.images.toHeapArray();
            for (int count : new int[] {1, 3, most, 2}) {
                // The last ones first.
                DeviceArrays.fill(buffers.latents, Arrays.copyOfRange(latents, (most - count) * image, latents.length));
                graphs.decode(plan, count);
                float[] some = buffers.images.toHeapArray();
                int pixels = all.length / most;
                assertArrayEquals(
                        Arrays.copyOfRange(all, (most - count) * pixels, all.length),
                        Arrays.copyOf(some, count * pixels),
                        count + " images");
                assertEquals(Optional.empty(), graphs.overflow());
                // 1000 threads a task that no image takes: what is left over of work groups, blocks of convolutions.
                assertTrue(
                        threads(grids)
                                <= allThreads * count / most
                                        + 1000L * grids.keySet().size(),
                        count + " images: " + threads(grids) + " threads of " + allThreads);
                assertEquals(count == most, threads(grids) == allThreads);
            }
            assertThrows(IllegalArgumentException.class, () -> graphs.decode(plan, most + 1));
        }
    }

    private static long threads(GridScheduler grids) {
        return grids.keySet().stream()
                .mapToLong(
                        task -> Arrays.stream(grids.get(task).getGlobalWork()).reduce(1, Math::multiplyExact))
                .sum();
    }

    @Test
    void namesTheLayerWhoseInputDoesNotFit() {
        VaeWeights weights =
                VaeWeights.load(new Scaled(checkpoint, "decoder.up_blocks.0.resnets.1.norm2.weight", 1e6f), CONFIG);
        assertEquals(
                Optional.of("decoder.up_blocks.0.resnets.1.conv2"),
                decode(weights, 2, "overflow").overflow());
    }

    @Test
    void leavesSizesThatDoNotFitToThePortableKernels() {
        VaeConfig odd = new VaeConfig(List.of(12, 32), 1, 4, 3, 4, 1e-6, 0.25, true, true);
        assertTrue(DecoderTier.tensorCores(odd, 2, 132).isPortable());
        assertEquals(2, DecoderTier.tensorCores(CONFIG, 2, 132).planes());
    }

    /** A checkpoint one of whose tensors is multiplied. */
    private record Scaled(Checkpoint of, String name, float factor) implements Checkpoint {
        @Override
        public Path path() {
            return of.path();
        }

        @Override
        public Set<String> names() {
            return of.names();
        }

        @Override
        public Shape shape(String tensor) {
            return of.shape(tensor);
        }

        @Override
        public Tensor tensor(String tensor) {
            if (!tensor.equals(name)) {
                return of.tensor(tensor);
            }
            float[] values = of.tensor(tensor).toArray();
            for (int i = 0; i < values.length; i++) {
                values[i] *= factor;
            }
            return Tensor.of(tensor, of.shape(tensor), values);
        }

        @Override
        public void close() {
            of.close();
        }
    }
}
