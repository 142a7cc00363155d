package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.DeviceFailedException;
import org.tornadodit.scheduler.device.RerunningRecorder;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.plan.Mesh;

/** Several virtual devices that decode a picture together: the bits of one. */
class CrewDecoderTest {
    /** 64 tokens in 8 heads: up to eight devices. */
    private static final DitConfig CONFIG = new DitConfig(8, 1, 4, 64, 1, 8, 2.0, 6, true);

    private static final DitWeights WEIGHTS = TinyModel.weights(CONFIG);

    /** Maps of 8, 16 and 32 pixels a side, attention; parts of statistics are 4 and 2 rows. */
    private static final VaeConfig VAE = new VaeConfig(List.of(16, 16, 16), 1, 4, 3, 4, 1e-6, 0.5, true, true);

    private static final Map<String, float[]> EXPECTED = new ConcurrentHashMap<>();

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void oneDeviceWithoutFaults() {
        long left = TinyModel.deviceBytes();
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
        assertEquals(0, left, "bytes on the devices");
    }

    private ShardedEngine engine(Mesh mesh, int samples, Tier kernels) {
        DeviceTeam team = TinyModel.team(mesh, 1, reports);
        Integer[] labels = new Integer[samples];
        Arrays.fill(labels, 1);
        SamplingRequest shape = TinyModel.request(2, labels);
        return new ShardedEngine(
                team,
                CONFIG,
                WEIGHTS,
                VAE,
                TinyModel.vaeWeights(VAE),
                shape,
                false,
                new KernelOptions(MatmulPrecision.HIGHEST, kernels));
    }

    private static float[] latents(int samples) {
        Random random = new Random(3);
        float[] latents = new float[samples * CONFIG.inputElements()];
        for (int i = 0; i < latents.length; i++) {
            latents[i] = (float) random.nextGaussian();
        }
        return latents;
    }

    private float[] expected(int samples, Tier kernels) {
        return EXPECTED.computeIfAbsent(samples + " " + kernels, any -> {
            try (ShardedEngine alone = engine(Mesh.ONE, samples, kernels)) {
                return alone.decode(latents(samples), samples);
            }
        });
    }

    /** Eight devices are more than the smaller map has parts: only the larger one is divided. */
    @ParameterizedTest
    @CsvSource({"PORTABLE, 2", "PORTABLE, 8", "WGMMA, 2", "WGMMA, 4"})
    void aPictureHasTheBitsOfOneDevice(Tier kernels, int devices) {
        float[] expected = expected(1, kernels);
        RerunningRecorder.renew();
        try (ShardedEngine engine = engine(Mesh.ONE.withHeads(devices), 1, kernels)) {
            assertEquals(2 * devices, RerunningRecorder.RECORDED.get(), "each device's pass and step");
            assertArrayEquals(expected, engine.decode(latents(1), 1)); // the second pass: signals go on counting
            assertEquals(devices, RerunningRecorder.RUN.get());
        }
        assertEquals(List.of(), reports);
    }

    /** With as many samples as devices each decodes pictures of its own. */
    @Test
    void devicesShareManyPictures() {
        float[] expected = expected(2, Tier.PORTABLE);
        try (ShardedEngine engine = engine(Mesh.ONE.withHalves(2), 2, Tier.PORTABLE)) {
            assertArrayEquals(expected, engine.decode(latents(2), 2));
        }
    }

    @Test
    void aDeviceThatFailsEndsThePicture() {
        try (ShardedEngine engine = engine(Mesh.ONE.withHalves(2), 1, Tier.PORTABLE)) {
            HostRuntime.get().device(1).faults().failLaunch("d1_vae_tail_16_3_32.conv_norm_out_parts", 1);
            DeviceFailedException failed =
                    assertThrows(DeviceFailedException.class, () -> engine.decode(latents(1), 1));
            assertTrue(String.valueOf(failed.getMessage()).startsWith("device 1: "), failed.getMessage());
        }
        HostRuntime.get().renewDevices(); // a failed device keeps what it held
    }
}
