package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.plan.Mesh;

/** Virtual devices that each own some of the blocks: the bits of one device that owns all. */
class OwnersTest {
    private static final int STEPS = 2;

    /** 16 tokens in four heads, five blocks. */
    private static final DitConfig CONFIG = new DitConfig(4, 1, 4, 32, 5, 4, 2.0, 6, true);

    private static final VaeConfig VAE = new VaeConfig(List.of(8), 1, 4, 3, 4, 1e-6, 0.5, true, false);

    private static final VaeWeights VAE_WEIGHTS = TinyModel.vaeWeights(VAE);

    private static final SamplingRequest TWO = TinyModel.request(STEPS, 3, 1);

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    private ShardedEngine engine(Mesh mesh, DitConfig config, SamplingRequest shape, KernelOptions kernels) {
        HostRuntime.get().setDeviceCount(mesh.devices());
        DeviceTeam equal = TinyModel.team(mesh.devices(), 1, reports);
        DeviceTeam team = new DeviceTeam(equal.devices(), equal.speeds(), equal.policy(), mesh);
        DitWeights weights = TinyModel.weights(config);
        return new ShardedEngine(team, config, weights, VAE, VAE_WEIGHTS, shape, false, kernels);
    }

    private static float[] sampled(ShardedEngine engine, SamplingRequest request) {
        return engine.sample(request, TorchRandn.cuda(5), (done, now) -> {});
    }

    @ParameterizedTest
    @CsvSource({
        "PORTABLE, HIGHEST, 2, 1, 1, 2",
        "PORTABLE, HIGHEST, 1, 1, 2, 2",
        "PORTABLE, HIGHEST, 2, 2, 1, 2",
        "PORTABLE, HIGHEST, 2, 1, 2, 4",
        "WGMMA, HIGH, 2, 1, 1, 2",
        "WGMMA, HIGHEST, 1, 1, 2, 2",
        "WGMMA, HIGHER, 2, 2, 1, 4",
        "MMA, HIGH, 1, 2, 1, 2",
    })
    void ownersGiveTheBitsOfOneDevice(
            Tier tier, MatmulPrecision precision, int halves, int ring, int heads, int owners) {
        KernelOptions kernels = new KernelOptions(precision, tier);
        Mesh mesh = Mesh.ONE.withHalves(halves).withRing(ring).withHeads(heads).withOwners(owners);
        float[] expected;
        try (ShardedEngine engine = engine(Mesh.ONE, CONFIG, TWO, kernels)) {
            expected = sampled(engine, TWO);
        }
        Mesh.Grain grain = tier == Tier.PORTABLE
                ? new Mesh.Grain(1, 4, 4, 0)
                : new Mesh.Grain(8, 16, precision == MatmulPrecision.HIGH ? 2 : 4, 1);
        try (ShardedEngine engine = engine(mesh, CONFIG, TWO, kernels)) {
            List<Long> before = engine.bytesReceived();
            assertArrayEquals(expected, sampled(engine, TWO), mesh.toString());
            for (int i = 0; i < mesh.devices(); i++) {
                assertEquals(
                        STEPS * mesh.bytesReceived(CONFIG, 2, 2, grain, i % mesh.ranks()),
                        engine.bytesReceived().get(i) - before.get(i),
                        "bytes of device " + i);
            }
        }
        assertEquals(List.of(), reports);
    }
}
