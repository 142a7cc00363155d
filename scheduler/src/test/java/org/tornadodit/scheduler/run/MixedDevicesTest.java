package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.graph.MeshChoice;
import org.tornadodit.scheduler.graph.Operations;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.MeshRequest;

/**
 * Devices of two kinds that divide a run: H has the kernels of a Hopper GPU, P the portable ones, of a device X none serve. A step of
 * XL/2 is long enough for two devices to be worth it.
 */
class MixedDevicesTest {
    private static final DitConfig XL = DitVariant.parse("DiT-XL/2").config(512, 1000);

    @AfterEach
    void oneDevice() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    /** Thrown where an engine would be made: nothing spoke against the crew. */
    private static final class MadeException extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static List<ListedDevice> devices(String kinds) {
        HostRuntime.get().setDeviceCount(kinds.length());
        HostRuntime.get().devices().forEach(device -> device.setComputeUnits(132)); // as a Hopper GPU has
        return TornadoDevices.list();
    }

    private static Operations kernels(ListedDevice device, String kinds) {
        Tier tier = switch (kinds.charAt(device.index())) {
            case 'H' -> Tier.WGMMA;
            case 'P' -> Tier.PORTABLE;
            default -> throw new DeviceUnavailableException("none for device " + device.index());
        };
        return KernelChoice.of(device, XL, new KernelOptions(MatmulPrecision.HIGHEST, tier))
                .operations();
    }

    private static Mesh mesh(String kinds, int samples, boolean guided, MeshRequest request) {
        Function<ListedDevice, Operations> kernels = device -> kernels(device, kinds);
        return new MeshChoice(XL, guided, samples, devices(kinds), kernels).mesh(request);
    }

    private static void load(String kinds, Mesh mesh, int crew) {
        List<ListedDevice> all = devices(kinds).subList(0, mesh.devices());
        List<ListedDevice> ofCrew = all.subList(crew * mesh.ranks(), (crew + 1) * mesh.ranks());
        Crew.load(ofCrew, mesh, rank -> kernels(ofCrew.get(rank), kinds), (rank, between) -> {
            throw new MadeException();
        });
    }

    private static void assertTaken(String kinds, Mesh mesh) {
        for (int each = 0; each < mesh.samples(); each++) {
            int crew = each;
            RuntimeException reached = assertThrows(RuntimeException.class, () -> load(kinds, mesh, crew));
            assertTrue(
                    reached instanceof MadeException || reached.getCause() instanceof MadeException,
                    () -> kinds + " as " + mesh + ": " + reached);
        }
    }

    /** All rows of two kinds. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void theFastestPlanIsOneThatTheDevicesTake(int count) {
        for (int row = 0; row < 1 << count; row++) {
            StringBuilder kinds = new StringBuilder();
            for (int device = 0; device < count; device++) {
                kinds.append((row >> device & 1) == 0 ? 'H' : 'P');
            }
            for (int samples = 1; samples <= count; samples++) {
                for (boolean guided : new boolean[] {false, true}) {
                    Mesh mesh = mesh(kinds.toString(), samples, guided, MeshRequest.AUTO);
                    assertTaken(kinds.toString(), mesh);
                    for (int device = 0; device < mesh.devices(); device++) {
                        Operations own = kernels(devices(kinds.toString()).get(device), kinds.toString());
                        assertTrue(mesh.refusal(XL, guided, own.grain()).isEmpty(), kinds + " as " + mesh);
                    }
                }
            }
        }
    }

    /** Heads where a crew is of one kind, also beside a crew of another; fast devices alone rather than with slow ones. */
    @ParameterizedTest
    @CsvSource({
        "HH, 1, samples 1 x heads 2",
        "PP, 1, samples 1 x heads 2",
        "HP, 1, samples 1",
        "HHP, 1, samples 1 x heads 2",
        "PPHH, 2, samples 2 x heads 2",
        "HHPP, 2, samples 2",
        "HPHP, 4, samples 4",
        "HX, 1, samples 1",
        "HHX, 1, samples 1 x heads 2"
    })
    void unguidedSamplesGet(String kinds, int samples, String mesh) {
        assertEquals(mesh, mesh(kinds, samples, false, MeshRequest.AUTO).toString());
    }

    /** By halves, which are exchanged as floats, at the end of a step. */
    @Test
    void aSlowDeviceFirstIsHelpedByAFastOne() {
        Mesh mesh = mesh("PH", 1, true, MeshRequest.AUTO);
        assertEquals("samples 1 x halves 2", mesh.toString());
        assertTaken("PH", mesh);
    }

    /** Who asks for a plan by name gets that one, or the reason. */
    @Test
    void whatIsAskedForIsRefusedWhereTheDevicesCannotTakeIt() {
        Mesh heads = mesh("HP", 1, false, MeshRequest.AUTO.with(Axis.HEADS, 2));
        assertEquals(Mesh.ONE.withHeads(2), heads);
        DeviceUnavailableException refused = assertThrows(DeviceUnavailableException.class, () -> load("HP", heads, 0));
        assertTrue(
                String.valueOf(refused.getMessage()).endsWith("use --kernels portable, or devices of one kind"),
                refused.getMessage());
        List<String> reasons = new ArrayList<>();
        for (String kinds : List.of("XH", "XX")) {
            reasons.add(String.valueOf(
                    assertThrows(DeviceUnavailableException.class, () -> mesh(kinds, 1, false, MeshRequest.AUTO))
                            .getMessage()));
        }
        assertEquals(List.of("none for device 0", "none for device 0"), reasons);
    }
}
