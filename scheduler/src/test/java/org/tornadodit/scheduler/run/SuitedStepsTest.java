package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.io.checkpoint.SeededCheckpoint;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.Startup;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.run.TornadoEngine.HostWeights;

/** An engine that is made for many samples, and then does few: on graphs with their tiles, as soon as they are compiled. */
class SuitedStepsTest {
    /** Two blocks of 16 tokens, whose tiles for ten passes and for five differ on two multiprocessors. */
    private static final DitConfig CONFIG = new DitConfig(4, 1, 4, 64, 2, 4, 4.0, 6, true);

    private static final DitWeights WEIGHTS =
            DitWeights.load(new SeededCheckpoint(DitWeights.specs(CONFIG), 7), CONFIG);
    private static final String NAME = "suited_";
    private static final int STEPS = 2;

    private HostDevice device;
    private final Startup startup = Startup.silent();

    @BeforeEach
    void aNewDevice() {
        HostRuntime.get().renewDevices();
        device = HostRuntime.get().device(0);
        device.setComputeUnits(2);
    }

    @AfterEach
    void nothingIsLeftOnTheDevice() {
        assertEquals(0, TinyModel.deviceBytes());
        HostRuntime.get().renewDevices();
    }

    @ParameterizedTest
    @EnumSource
    void fewerSamplesChangeToTheirTilesAndKeepTheirBits(MatmulPrecision precision) throws InterruptedException {
        SamplingRequest one = request(1);
        SamplingRequest five = request(5);
        float[] expected;
        try (TornadoEngine made = engine(one, precision)) {
            expected = sampled(made, one);
            assertEquals(0, suited(), "made for one sample: the tiles are its own");
        }
        try (TornadoEngine engine = engine(five, precision)) {
            float[] all = sampled(engine, five);
            assertEquals(0, suited(), "as many as it was made for");
            device.resetMeters();
            assertArrayEquals(expected, sampled(engine, one));
            long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
            while (suited() == 0 && System.nanoTime() < end) { // the other thread may be late
                Thread.sleep(10);
                assertArrayEquals(expected, sampled(engine, one));
            }
            assertTrue(suited() > 0, "no block ran with other tiles");

            device.resetMeters();
            long held = device.usedBytes();
            assertArrayEquals(expected, sampled(engine, one), "on its tiles");
            assertEquals(CONFIG.depth() * STEPS, suited(), "all blocks of all steps");
            assertEquals(held, device.peakBytes(), "its graph has no arrays of its own");

            device.resetMeters();
            assertArrayEquals(all, sampled(engine, five), "back to five samples");
            assertEquals(0, suited());
            assertArrayEquals(expected, sampled(engine, one), "and to one");
            assertEquals(CONFIG.depth() * STEPS, suited());
        }
        assertEquals(2, startup.notes().size(), startup.notes().toString());
        assertTrue(
                startup.notes().getFirst().contains("compiled beside the run"),
                startup.notes().toString());
        assertTrue(
                startup.notes().getLast().contains("from here on"),
                startup.notes().toString());
    }

    /** Compiling for fewer samples is no reason to stop, or to lose the device. */
    @Test
    void goesOnWithoutWhatCannotBeCompiled() throws InterruptedException {
        SamplingRequest one = request(1);
        try (TornadoEngine engine = engine(request(5), MatmulPrecision.HIGH)) {
            device.faults().failCompilation(NAME + "block_for_5.attn", 1);
            float[] first = sampled(engine, one);
            long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
            while (Thread.getAllStackTraces().keySet().stream()
                    .anyMatch(thread -> thread.getName().equals("compile-later"))) {
                assertTrue(System.nanoTime() < end, "it is still being compiled");
                Thread.sleep(10);
            }
            for (int i = 0; i < 2; i++) { // where it could be compiled, the first would use it
                assertArrayEquals(first, sampled(engine, one));
            }
            assertEquals(0, suited());
        }
    }

    @Test
    void anEngineIsClosedWhileItCompiles() {
        try (TornadoEngine engine = engine(request(5), MatmulPrecision.HIGH)) {
            sampled(engine, request(1));
        }
    }

    private TornadoEngine engine(SamplingRequest largest, MatmulPrecision precision) {
        return new TornadoEngine(
                TornadoDevices.list().getFirst(),
                NAME,
                CONFIG,
                HostWeights.of(
                        CONFIG,
                        WEIGHTS,
                        TinyModel.VAE,
                        TinyModel.VAE_WEIGHTS,
                        TornadoDevices.list().getFirst(),
                        Part.of(CONFIG, largest.samples(), true),
                        Link.PEERS,
                        new KernelOptions(precision, Tier.WGMMA)),
                TinyModel.VAE,
                largest,
                Part.of(CONFIG, largest.samples(), true),
                Link.PEERS,
                false,
                startup);
    }

    private static float[] sampled(TornadoEngine engine, SamplingRequest request) {
        return engine.sample(request, TorchRandn.cuda(3), (done, now) -> {});
    }

    private static SamplingRequest request(int samples) {
        return new SamplingRequest(
                IntStream.range(0, samples).boxed().toList(),
                SamplingMethod.DDIM.of(String.valueOf(STEPS), 0),
                4.0,
                Guidance.FIRST_THREE);
    }

    /** Launches of attention in graphs for fewer passes. */
    private long suited() {
        return device.launches().entrySet().stream()
                .filter(each -> each.getKey().startsWith(NAME + "block_for_")
                        && each.getKey().endsWith(".attn"))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }
}
