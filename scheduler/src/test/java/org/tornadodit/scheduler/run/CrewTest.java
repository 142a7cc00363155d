package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.DeviceFailedException;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.virtual.VirtualLink;

/** Several virtual devices that compute the same samples: the bits of one. */
class CrewTest {
    private static final int STEPS = 2;

    /** 16 tokens in four heads, two blocks: what is exchanged in one is not the other's. */
    private static final DitConfig CONFIG = new DitConfig(4, 1, 4, 32, 2, 4, 2.0, 6, true);

    private static final DitWeights WEIGHTS = TinyModel.weights(CONFIG);
    private static final SamplingRequest TWO = TinyModel.request(STEPS, 3, 1);
    private static final Map<String, float[]> EXPECTED = new ConcurrentHashMap<>();

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @BeforeEach
    void noLongWait() {
        VirtualLink.setPatience(4_000L);
    }

    @AfterEach
    void oneDeviceWithoutFaults() {
        VirtualLink.setPatience(null);
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    private ShardedEngine engine(Mesh mesh, SamplingRequest shape, KernelOptions kernels) {
        HostRuntime.get().setDeviceCount(mesh.devices());
        DeviceTeam equal = TinyModel.team(mesh.devices(), 1, reports);
        DeviceTeam team = new DeviceTeam(equal.devices(), equal.speeds(), equal.policy(), mesh);
        return new ShardedEngine(
                team, CONFIG, WEIGHTS, TinyModel.VAE, TinyModel.VAE_WEIGHTS, shape, false, kernels);
    }

    private static float[] sampled(ShardedEngine engine, SamplingRequest request) {
        return engine.sample(request, TorchRandn.cuda(5), (done, now) -> {});
    }

    private float[] expected(SamplingRequest request, KernelOptions kernels) {
        return EXPECTED.computeIfAbsent(request + " " + kernels, any -> {
            try (ShardedEngine engine = engine(Mesh.ONE, request, kernels)) {
                return sampled(engine, request);
            }
        });
    }

    /** Every mesh of up to eight devices that divides this model, and one of two crews. */
    @ParameterizedTest
    @CsvSource({"1, 2, 1", "1, 1, 2", "1, 2, 2", "1, 1, 4", "1, 2, 4", "2, 2, 1", "2, 1, 2", "2, 2, 2", "2, 1, 4"})
    void portableKernelsGiveTheBitsOfOneDevice(int samples, int halves, int heads) {
        requireBits(new Mesh(samples, halves, heads), new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE));
    }

    @ParameterizedTest
    @CsvSource({"HIGH, 2, 1", "HIGH, 1, 2", "HIGHEST, 2, 2"})
    void tensorKernelsGiveTheBitsOfOneDevice(MatmulPrecision precision, int halves, int heads) {
        requireBits(new Mesh(1, halves, heads), new KernelOptions(precision, Tier.WGMMA));
    }

    private void requireBits(Mesh mesh, KernelOptions kernels) {
        float[] expected = expected(TWO, kernels);
        try (ShardedEngine engine = engine(mesh, TWO, kernels)) {
            List<Long> before = engine.bytesReceived();
            float[] latents = sampled(engine, TWO);
            assertArrayEquals(expected, latents, mesh.toString());
            List<Long> received = engine.bytesReceived();
            Mesh.Grain grain = kernels.tier() == Tier.PORTABLE
                    ? new Mesh.Grain(1, 4, 4)
                    : new Mesh.Grain(8, 16, kernels.precision() == MatmulPrecision.HIGH ? 2 : 4);
            int ofCrew = 2 / mesh.samples();
            for (int i = 0; i < received.size(); i++) {
                assertEquals(
                        STEPS * mesh.bytesSent(CONFIG, ofCrew, ofCrew, grain),
                        received.get(i) - before.get(i),
                        "bytes of device " + i);
            }
        }
        assertEquals(List.of(), reports);
    }
}
