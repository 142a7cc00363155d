package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.RerunningRecorder;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.virtual.VirtualLink;

/** Which crews are given a step while they are at the one before. */
class CrewStepsAheadTest {
    private static final DitWeights WEIGHTS = TinyModel.weights(CrewTest.CONFIG);
    private static final SamplingRequest REQUEST = TinyModel.request(5, 3);

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @BeforeEach
    @AfterEach
    void oneDevice() {
        VirtualLink.setPeerAccess(true);
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
        RerunningRecorder.renew();
    }

    static Stream<Arguments> meshes() {
        Mesh halves = Mesh.ONE.withHalves(2);
        return Stream.of(
                Arguments.of(halves, true, 2),
                Arguments.of(halves.withHeads(2), true, 2),
                Arguments.of(Mesh.ONE.withRing(2), true, 2),
                Arguments.of(Mesh.ONE.withTensor(2), true, 2),
                // What stages and owners send has one place, and so has all that goes through the host's memory.
                Arguments.of(Mesh.ONE.withStages(2), true, 1),
                Arguments.of(halves.withOwners(2), true, 1),
                Arguments.of(halves, false, 1));
    }

    @ParameterizedTest
    @MethodSource("meshes")
    void stepsAreGivenAheadWhereNothingIsOverwritten(Mesh mesh, boolean peers, int underWay) {
        float[] alone = sampled(Mesh.ONE);
        VirtualLink.setPeerAccess(peers);
        RerunningRecorder.renew();
        float[] together = sampled(mesh);
        assertEquals(underWay, RerunningRecorder.MOST_UNDER_WAY.get(), mesh.toString());
        if (mesh.tensor() == 1) {
            assertArrayEquals(alone, together, mesh.toString());
        }
        assertEquals(peers ? 0 : 1, reports.size(), reports::toString);
    }

    private float[] sampled(Mesh mesh) {
        DeviceTeam team = TinyModel.team(mesh, 10, reports);
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        try (ShardedEngine engine = new ShardedEngine(
                team,
                CrewTest.CONFIG,
                WEIGHTS,
                TinyModel.PIXEL_VAE,
                TinyModel.PIXEL_VAE_WEIGHTS,
                REQUEST,
                false,
                kernels)) {
            return engine.sample(REQUEST, TorchRandn.cuda(5), (done, now) -> {});
        }
    }
}
