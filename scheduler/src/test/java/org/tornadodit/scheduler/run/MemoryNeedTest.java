package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.graph.MemoryNeed;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.virtual.VirtualLink;

/** What is compared with a device's free memory is what a crew's devices then hold, to the byte. */
class MemoryNeedTest {
    /** Of two devices one decodes two, the other one. */
    private static final SamplingRequest THREE = TinyModel.request(CrewTest.STEPS, 3, 1, 2);

    private final List<String> reports = new ArrayList<>();

    @AfterEach
    void oneDeviceWithPeerAccess() {
        VirtualLink.setPeerAccess(true);
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    @ParameterizedTest
    @CsvSource({
        "WGMMA, HIGHEST, PEERS, false, 1, 1, 2",
        "WGMMA, HIGHEST, HOST, false, 1, 1, 2",
        "WGMMA, HIGH, HOST, true, 1, 2, 1",
        "MMA, HIGH, HOST, false, 1, 1, 2",
        "PORTABLE, HIGHEST, HOST, false, 2, 1, 1",
        "PORTABLE, HIGHEST, PEERS, true, 2, 1, 1",
        "PORTABLE, HIGHEST, HOST, false, 1, 1, 4",
        "PORTABLE, HIGHEST, PEERS, false, 1, 1, 1",
        "PORTABLE, HIGHEST, PEERS, true, 1, 1, 1"
    })
    void isWhatDevicesHold(
            Tier tier, MatmulPrecision precision, Link link, boolean hostNoise, int halves, int ring, int heads) {
        KernelOptions kernels = new KernelOptions(precision, tier);
        Mesh mesh = Mesh.ONE.withHalves(halves).withRing(ring).withHeads(heads);
        MemoryNeed need = requireHeld(mesh, CrewTest.CONFIG, TinyModel.PIXEL_VAE, THREE, kernels, link, hostNoise);
        assertEquals(Math.ceilDiv(THREE.samples(), mesh.ranks()), need.decodedTogether());
    }

    /** Rows of a picture on each device. */
    @ParameterizedTest
    @EnumSource
    void isWhatDevicesHoldThatDecodeTogether(Link link) {
        DitConfig config = new DitConfig(8, 1, 4, 64, 1, 8, 2.0, 6, true);
        VaeConfig vae = new VaeConfig(List.of(16, 16, 16), 1, 4, 3, 4, 1e-6, 0.5, true, true);
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        requireHeld(Mesh.ONE.withHeads(2), config, vae, TinyModel.request(1, 1), kernels, link, false);
    }

    /** A device that has what is counted, and not a byte more. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isEnough(boolean hostNoise) {
        SamplingRequest eight = TinyModel.request(2, 0, 1, 2, 3, 4, 5, 0, 1);
        DeviceTeam team = TinyModel.team(Mesh.ONE, 1, reports);
        KernelChoice choice = KernelChoice.of(team.devices().getFirst(), TinyModel.CONFIG, KernelOptions.DEFAULT);
        MemoryNeed need = MemoryNeed.of(
                TinyModel.CONFIG,
                TinyModel.VAE,
                Part.of(TinyModel.CONFIG, eight.samples(), true),
                choice.operations(),
                choice.decoder(TinyModel.VAE),
                TornadoEngine.DECODER_BYTES,
                Link.PEERS,
                hostNoise);
        HostRuntime.get().device(0).limitMemory(need.bytes() - 1);
        DeviceTeam small = TinyModel.team(Mesh.ONE, 1, reports); // lists the devices as they are now
        DeviceUnavailableException refused = assertThrows(
                DeviceUnavailableException.class,
                () -> TinyModel.engine(small, eight, hostNoise).close());
        assertTrue(String.valueOf(refused.getMessage()).contains("is too small"), refused.getMessage());
        assertEquals(0, HostRuntime.get().device(0).peakBytes(), "bytes allocated");
        HostRuntime.get().device(0).limitMemory(need.bytes());
        DeviceTeam large = TinyModel.team(Mesh.ONE, 1, reports);
        try (ShardedEngine engine = TinyModel.engine(large, eight, hostNoise)) {
            float[] latents =
                    engine.sample(eight, hostNoise ? TorchRandn.cpu(3) : TorchRandn.cuda(3), (done, now) -> {});
            assertEquals(eight.samples() * TinyModel.CONFIG.inputElements(), latents.length);
        }
    }

    private MemoryNeed requireHeld(
            Mesh mesh,
            DitConfig config,
            VaeConfig vae,
            SamplingRequest shape,
            KernelOptions kernels,
            Link link,
            boolean hostNoise) {
        DeviceTeam team = TinyModel.team(mesh, 1, reports);
        VirtualLink.setPeerAccess(link == Link.PEERS);
        HostRuntime.get().devices().forEach(HostDevice::resetMeters);
        MemoryNeed need = null;
        try (ShardedEngine engine = new ShardedEngine(
                team, config, TinyModel.weights(config), vae, TinyModel.vaeWeights(vae), shape, hostNoise, kernels)) {
            engine.decode(new float[shape.samples() * config.inputElements()], shape.samples());
            for (int rank = 0; rank < mesh.ranks(); rank++) {
                KernelChoice choice = KernelChoice.of(team.devices().get(rank), config, kernels);
                need = MemoryNeed.of(
                        config,
                        vae,
                        mesh.part(config, shape.samples(), true, rank),
                        choice.operations(),
                        choice.decoder(vae),
                        TornadoEngine.DECODER_BYTES,
                        link,
                        hostNoise);
                assertEquals(HostRuntime.get().device(rank).peakBytes(), need.bytes(), "bytes of device " + rank);
            }
        }
        return Objects.requireNonNull(need);
    }
}
