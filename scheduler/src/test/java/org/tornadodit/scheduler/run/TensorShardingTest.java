package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;
import org.tornadodit.scheduler.graph.DecoderTier;
import org.tornadodit.scheduler.graph.TensorKernels;

/** The tensor cores' kernels on one to three virtual devices: the bits of one device; {@link DeviceFaultsTest} has them fail. */
class TensorShardingTest {
    private static final int STEPS = 3;
    private static final SamplingRequest REQUEST = TinyModel.request(STEPS, 0, 1, 2, 3, 4);
    private static final Map<MatmulPrecision, Pictures> EXPECTED = new EnumMap<>(MatmulPrecision.class);

    /** Latents, then pictures. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Pictures(float[] latents, float[] images) {}

    private final List<String> reports = new ArrayList<>();

    @BeforeEach
    void threeDevices() {
        HostRuntime.get().setDeviceCount(3);
    }

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    /** 3 and 2 samples; 2, 2 and 1; 1, 3 and 1: of 16 tokens and both halves of guidance, so 32 to 96 rows, and 160. */
    @ParameterizedTest
    @CsvSource({"HIGH, 1:1", "HIGH, 1:1:1", "HIGH, 1:3:1", "HIGHEST, 1:1", "HIGHEST, 1:3:1", "HIGHER, 1:3:1"})
    void anyShareOfTheSamplesGivesTheSameBits(MatmulPrecision precision, String speeds) {
        List<Double> each =
                List.of(speeds.split(":")).stream().map(Double::valueOf).toList();
        DeviceTeam equal = TinyModel.team(each.size(), 1, reports);
        DeviceTeam team = new DeviceTeam(equal.devices(), each, equal.policy());
        try (ShardedEngine engine = TinyModel.tensorEngine(team, REQUEST, false, precision)) {
            assertTrue(engine.description().contains("wgmma, "), engine.description());
            assertEquals(each.size(), engine.devices());
            Pictures expected = expected(precision);
            List<HostDevice> devices = HostRuntime.get().devices().subList(0, each.size());
            devices.forEach(HostDevice::resetMeters);
            float[] latents = engine.sample(REQUEST, TorchRandn.cuda(5), (done, now) -> {});
            assertArrayEquals(expected.latents(), latents, speeds);
            assertArrayEquals(expected.images(), engine.decode(latents, REQUEST.samples()), speeds + ", images");
            TensorKernels.requireDenoiser(devices);
            TensorKernels.requireDecoder(devices);
        }
        assertEquals(List.of(), reports);
    }

    /** Sizes that leave the decoder to the portable kernels would show nothing of the tensor cores'. */
    @Test
    void theDecoderIsOnTensorCores() {
        assertFalse(DecoderTier.tensorCores(TinyModel.TENSOR_VAE, 2, 132).isPortable());
    }

    @Test
    void goesOnFromAStateOnOtherDevicesToTheSameBits() {
        List<SamplingState> states = new ArrayList<>();
        try (ShardedEngine engine =
                TinyModel.tensorEngine(TinyModel.team(2, 2, reports), REQUEST, false, MatmulPrecision.HIGH)) {
            engine.sample(REQUEST, TorchRandn.cuda(5), new StepListener() {
                @Override
                public void stepDone(int done, Supplier<SamplingState> state) {
                    states.add(state.get());
                }

                @Override
                public boolean wantsState(int done) {
                    return true;
                }
            });
        }
        assertEquals(STEPS, states.size());
        try (ShardedEngine engine =
                TinyModel.tensorEngine(TinyModel.team(3, 2, reports), REQUEST, false, MatmulPrecision.HIGH)) {
            for (SamplingState state : states) {
                assertArrayEquals(
                        expected(MatmulPrecision.HIGH).latents(),
                        engine.sample(REQUEST, TorchRandn.cuda(5), state, (done, now) -> {}),
                        "from step " + state.done());
            }
        }
    }

    /** Volta's form and Ampere's beside each other: other bits, within the bound that each keeps to PyTorch, and a line about it. */
    @Test
    void devicesOfDifferentKindsStayWithinTheBar() {
        SamplingRequest two = TinyModel.request(1, 0, 1);
        KernelOptions mma = new KernelOptions(MatmulPrecision.HIGHEST, KernelOptions.Tier.MMA);
        DeviceTeam equal = TinyModel.team(2, 1, reports);
        List<ListedDevice> kinds = List.of(
                of(equal.devices().get(0), "an A100", "8.0"), of(equal.devices().get(1), "a V100", "7.0"));
        DeviceTeam team = new DeviceTeam(kinds, List.of(1.0, 1.0), equal.policy());
        try (ShardedEngine mixed = TinyModel.tensorEngine(team, two, mma);
                ShardedEngine one = TinyModel.tensorEngine(TinyModel.team(1, 1, reports), two, mma)) {
            assertEquals(2, mixed.devices());
            float[] latents = mixed.sample(two, TorchRandn.cuda(5), (done, now) -> {});
            float[] expected = one.sample(two, TorchRandn.cuda(5), (done, now) -> {});
            assertFalse(Arrays.equals(expected, latents), "the forms add up alike: the test shows nothing");
            Shape shape = Shape.of(expected.length);
            TensorAssert.assertRelativeError("latents", shape, latents, expected, 2e-5);
            float[] images = one.decode(expected, two.samples());
            TensorAssert.assertRelativeError(
                    "images", Shape.of(images.length), mixed.decode(latents, two.samples()), images, 1e-4);
        }
        assertEquals(
                List.of("devices of different kinds (mma in ampere's form; mma in volta's form): bits of a picture may"
                        + " differ with the device that makes it"),
                reports);
    }

    private static ListedDevice of(ListedDevice device, String name, String capability) {
        return new ListedDevice(
                device.index(),
                device.backend(),
                name,
                device.type(),
                Optional.of(capability),
                device.memory(),
                device.device());
    }

    /** The two precisions are different kernels, so that tests of one say nothing of the other. */
    @ParameterizedTest
    @EnumSource
    void precisionsDiffer(MatmulPrecision precision) {
        for (MatmulPrecision other : MatmulPrecision.values()) {
            assertEquals(
                    precision == other,
                    Arrays.equals(expected(precision).latents(), expected(other).latents()));
        }
    }

    /** What one device gives. */
    private Pictures expected(MatmulPrecision precision) {
        return EXPECTED.computeIfAbsent(precision, key -> {
            try (ShardedEngine engine = TinyModel.tensorEngine(TinyModel.team(1, 2, reports), REQUEST, false, key)) {
                float[] latents = engine.sample(REQUEST, TorchRandn.cuda(5), (done, now) -> {});
                return new Pictures(latents, engine.decode(latents, REQUEST.samples()));
            }
        });
    }
}
