package org.tornadodit.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.host.HostFaults;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.model.vae.PixelLevel;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.run.CpuEngine;

/** The Java API on the CPU engine and on virtual devices, with a tiny model. */
class DitPipelineTest {
    private static final Consumer<Progress> SILENT = progress -> {};

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static TinyModelFiles model;

    @BeforeAll
    static void writeModel() throws IOException {
        model = TinyModelFiles.write(folder);
    }

    @AfterEach
    void notInterrupted() {
        assertFalse(Thread.interrupted(), "a test left its thread interrupted");
    }

    /** Opened once for all tests: emulated devices compile and warm up for seconds. */
    private static final Map<String, DitPipeline> OPEN = new HashMap<>();

    private static DitPipeline shared(String devices) {
        return OPEN.computeIfAbsent(devices, any -> on(devices).open());
    }

    @AfterAll
    static void closeAll() {
        OPEN.values().forEach(DitPipeline::close);
        HostRuntime.get().setDeviceCount(1);
    }

    private static PipelineBuilder on(String devices) {
        return DitPipeline.load(model.checkpoint(), model.vae())
                .config(model.config())
                .devices(devices)
                .threads(1)
                .noKernelCache()
                .notices(line -> {})
                .maxBatch(2);
    }

    private static String line(Throwable thrown) {
        return String.valueOf(thrown.getMessage());
    }

    private static Request request(int... labels) {
        return Request.of(labels).steps(3).seed(7);
    }

    private static byte[][] bytes(List<Picture> pictures) {
        return pictures.stream().map(Picture::rgb).toArray(byte[][]::new);
    }

    /** What the CPU engine makes of these batches and one stream of noise, without the API. */
    private static byte[][] expected(List<List<Integer>> batches) {
        DitConfig config = DitConfig.fromJson(model.config());
        VaeConfig vaeConfig = VaeConfig.fromJson(model.vae());
        List<byte[]> pictures = new ArrayList<>();
        try (Checkpoint dit = Checkpoints.open(model.checkpoint());
                Checkpoint vae = Checkpoints.openVae(model.vae());
                CpuEngine engine = new CpuEngine(
                        config, DitWeights.load(dit, config), vaeConfig, VaeWeights.load(vae, vaeConfig), 1)) {
            NoiseStream noise = TorchRandn.cuda(7);
            for (List<Integer> labels : batches) {
                float[] latents = engine.sample(
                        new SamplingRequest(labels, SamplingMethod.DDPM.of("3", 0), 4, Guidance.FIRST_THREE),
                        noise,
                        (done, now) -> {});
                float[] images = engine.decode(latents, labels.size());
                int plane = 16 * 16;
                for (int n = 0; n < labels.size(); n++) {
                    byte[] rgb = new byte[3 * plane];
                    for (int i = 0; i < rgb.length; i++) {
                        rgb[i] = (byte) PixelLevel.of(images[3 * n * plane + i % 3 * plane + i / 3]);
                    }
                    pictures.add(rgb);
                }
            }
        }
        return pictures.toArray(byte[][]::new);
    }

    @Test
    void samplesWhatTheEngineSamples() {
        try (DitPipeline dit = on("cpu").open()) {
            assertArrayEquals(expected(List.of(List.of(1, 4))), bytes(dit.sample(request(1, 4))));
            assertArrayEquals(
                    expected(List.of(List.of(1, 4), List.of(2))),
                    bytes(dit.sample(request(1, 4, 2))),
                    "more labels than a largest batch");
            assertArrayEquals(
                    expected(List.of(List.of(3), List.of(3))),
                    bytes(dit.sample(request(3).batches(2))));
        }
        try (DitPipeline dit = on("cpu").maxBatch(5).open()) {
            assertArrayEquals(expected(List.of(List.of(1, 4))), bytes(dit.sample(request(1, 4))), "a smaller batch");
        }
    }

    @Test
    void virtualDevicesSampleWhatTheCpuDoesButForRounding() {
        DitPipeline dit = shared("cpu:2");
        byte[][] pictures = bytes(dit.sample(request(1, 4)));
        byte[][] cpu = expected(List.of(List.of(1, 4)));
        int worst = 0;
        for (int i = 0; i < cpu.length; i++) {
            for (int j = 0; j < cpu[i].length; j++) {
                worst = Math.max(worst, Math.abs((pictures[i][j] & 0xff) - (cpu[i][j] & 0xff)));
            }
        }
        assertTrue(worst <= 1, "a picture is off by " + worst + " levels");
        assertTrue(dit.description().contains("emulated on the processor"), dit.description());
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "cpu:2"})
    void cancelsAfterAStepAndGoesOnToOtherRequests(String devices) {
        DitPipeline dit = shared(devices);
        float[] alone = dit.latents(request(1, 4), SILENT).values();
        CancellationException cancelled = assertThrows(
                CancellationException.class,
                () -> dit.sample(request(1, 4).batches(2).steps(5), progress -> {
                    if (progress.step() == 2) {
                        progress.cancel();
                    }
                }));
        assertEquals("cancelled after step 2 of 5, batch 1 of 2", cancelled.getMessage());
        assertArrayEquals(alone, dit.latents(request(1, 4), SILENT).values());

        Thread caller = Thread.currentThread();
        CancellationException interrupted = assertThrows(
                CancellationException.class,
                () -> dit.sample(request(1, 4).steps(200), progress -> caller.interrupt()));
        assertTrue(Thread.interrupted(), "the thread stays interrupted");
        assertTrue(line(interrupted).matches("interrupted after step [01] of 200"), line(interrupted));
        assertArrayEquals(alone, dit.latents(request(1, 4), SILENT).values());
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "cpu:2"})
    void whatAListenerThrowsComesOutAsItIs(String devices) {
        DitPipeline dit = shared(devices);
        RuntimeException own = new IllegalStateException("the application's");
        assertSame(
                own,
                assertThrows(
                        RuntimeException.class,
                        () -> dit.sample(request(1), progress -> {
                            throw own;
                        })));
        Error error = new AssertionError("the application's");
        assertSame(
                error,
                assertThrows(
                        Error.class,
                        () -> dit.sample(request(1), progress -> {
                            throw error;
                        })));
        assertEquals(1, dit.latents(request(1), SILENT).samples(), "the devices are well");
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "cpu:2"})
    void tellsProgressAndShowsPreviews(String devices) {
        DitPipeline dit = shared(devices);
        Request request = request(1, 4, 2).steps(2);
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        Latents latents = dit.latents(
                request.previewEvery(1),
                progress -> told.add("%d/%d %d/%d %s %s"
                        .formatted(
                                progress.step(),
                                progress.steps(),
                                progress.batch(),
                                progress.batches(),
                                progress.previews().stream().map(Picture::label).toList(),
                                progress.timeLeft().isNegative())));
        assertEquals(
                List.of("1/2 1/2 [1, 4] false", "2/2 1/2 [] false", "1/2 2/2 [2] false", "2/2 2/2 [] false"), told);
        assertArrayEquals(dit.latents(request, SILENT).values(), latents.values(), "previews change nothing");
    }

    @Test
    void threadsGetThePicturesOfRequestsAlone() throws Exception {
        try (DitPipeline dit = on("cpu").open()) {
            List<byte[][]> alone = IntStream.range(0, 4)
                    .mapToObj(seed -> bytes(dit.sample(request(1, 4, 2).seed(seed))))
                    .toList();
            List<Sampling> together = IntStream.range(0, 4)
                    .mapToObj(seed -> dit.start(request(1, 4, 2).seed(seed), SILENT))
                    .toList();
            for (int seed = 0; seed < 4; seed++) {
                assertArrayEquals(alone.get(seed), bytes(together.get(seed).pictures()), "seed " + seed);
                assertTrue(together.get(seed).isDone());
            }
        }
    }

    /** The published SiT has a DiT's very tensors: its name tells, as {@code --model} does. */
    @Test
    void theNameOfASitTellsWhatItPredicts() {
        try (DitPipeline sit = on("cpu").name("SiT-XL/2").open();
                DitPipeline dit = on("cpu").name("DiT-XL/2").open()) {
            assertEquals(Objective.SIT, sit.config().objective());
            assertEquals(Objective.DIT, dit.config().objective());
        }
    }

    /** A request of many batches lets others in between: the short ones are done long before it. */
    @Test
    void aRequestOfManyBatchesLetsOthersIn() throws Exception {
        try (DitPipeline dit = on("cpu").open()) {
            CountDownLatch begun = new CountDownLatch(1);
            Sampling large = dit.start(request(1).steps(2).batches(100_000), progress -> begun.countDown());
            begun.await();
            assertEquals(1, dit.sample(request(2)).size());
            assertFalse(large.isDone());
            Sampling waiting = dit.start(request(1), SILENT);
            large.cancel();
            assertTrue(line(assertThrows(CancellationException.class, large::pictures))
                    .matches("(cancelled|interrupted) .*"));
            assertEquals(1, waiting.pictures().size());
        }
    }

    /** Batches wait as a number: before the first step, of many there is no more than of one. */
    @Test
    void memoryDoesNotGrowWithBatchesThatAreToCome() {
        DitPipeline dit = shared("cpu");
        Request one = request(1, 4, 2).steps(1000); // two batches of the pipeline's
        allocatedToTheFirstStep(dit, one); // loads classes
        long ofOne = allocatedToTheFirstStep(dit, one);
        long ofMany = allocatedToTheFirstStep(dit, one.batches(5_000));
        assertTrue(ofMany < ofOne + (4 << 20), "%d bytes, of one %d".formatted(ofMany, ofOne));
    }

    private static long allocatedToTheFirstStep(DitPipeline dit, Request request) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        assertThrows(CancellationException.class, () -> dit.sample(request, Progress::cancel));
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    @Test
    void closingEndsWhatIsAtWork() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        Sampling running;
        DitPipeline dit = on("cpu").open();
        try (dit) {
            running = dit.start(request(1).steps(1000).batches(1000), progress -> begun.countDown());
            begun.await();
        }
        assertTrue(line(assertThrows(CancellationException.class, running::pictures))
                .startsWith("the pipeline was closed after step"));
        assertEquals(
                "the pipeline is closed",
                assertThrows(PipelineException.class, () -> dit.sample(request(1)))
                        .getMessage());
        dit.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "cpu:2"})
    void aListenerMaySampleAndDecodeButNotClose(String devices) {
        DitPipeline dit = shared(devices);
        float[] alone = dit.latents(request(2), SILENT).values();
        List<float[]> within = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        dit.latents(request(1, 4), progress -> {
            if (progress.step() == 1) {
                Latents latents = dit.latents(request(2), SILENT);
                within.add(latents.values());
                dit.decode(latents);
                refused.add(line(assertThrows(IllegalStateException.class, dit::close)));
            }
        });
        assertArrayEquals(alone, within.getFirst());
        assertTrue(refused.getFirst().startsWith("a listener cannot close the pipeline"), refused.toString());
    }

    /** Requests that differ in all, and come while another is at work: in the same passes, the pictures of each alone. */
    @ParameterizedTest
    @ValueSource(strings = {"cpu", "cpu:2"})
    void requestsJoinARunningPass(String devices) {
        DitPipeline dit = shared(devices);
        List<Request> requests = List.of(
                request(1, 4),
                request(2)
                        .sampler(SamplingMethod.DDIM)
                        .eta(0.5)
                        .steps(2)
                        .guidance(1)
                        .seed(8),
                request(0, 3, 5)
                        .sampler(SamplingMethod.DPM_SOLVER_PLUS_PLUS)
                        .steps(4)
                        .guidance(2.5)
                        .seed(9)
                        .previewEvery(1));
        List<byte[][]> alone =
                requests.stream().map(each -> bytes(dit.sample(each))).toList();
        List<Sampling> joined = new ArrayList<>();
        byte[][] first = bytes(dit.sample(requests.getFirst(), progress -> {
            if (progress.step() == 1) {
                requests.forEach(each -> joined.add(dit.start(each, SILENT)));
            }
        }));
        assertArrayEquals(alone.getFirst(), first);
        for (int i = 0; i < requests.size(); i++) {
            assertArrayEquals(alone.get(i), bytes(joined.get(i).pictures()), "request " + i);
        }
        assertEquals(0, dit.running());
        assertEquals(0, dit.waiting());
    }

    /** One place, one that may wait: the next is refused at once, and comes in when the one that waited is cancelled. */
    @Test
    void refusesWhatWouldBeTooManyToWait() throws Exception {
        try (DitPipeline dit = on("cpu:1").maxBatch(1).maxWaiting(1).open()) {
            byte[][] alone = bytes(dit.sample(request(2)));
            Sampling next;
            // Between its steps a request may give up its place; one whose device does nothing does not.
            try (HostFaults.Hold _ = HostRuntime.get().device(0).faults().hold()) {
                Sampling running = dit.start(request(1), SILENT);
                await("it has a place", () -> dit.running() == 1);
                Sampling waiting = dit.start(request(3), SILENT);
                await("it waits", () -> dit.waiting() == 1);
                QueueFullException full = assertThrows(QueueFullException.class, () -> dit.sample(request(2)));
                assertEquals("1 requests wait already, as many as may (maxWaiting); try again later", line(full));
                waiting.cancel();
                assertTrue(line(assertThrows(CancellationException.class, waiting::pictures))
                        .matches("(cancelled|interrupted) after step 0 of 3"));
                assertEquals(0, dit.waiting());
                next = dit.start(request(2), SILENT);
                running.cancel();
            }
            assertArrayEquals(alone, bytes(next.pictures()));
        }
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, what);
            Thread.sleep(10);
        }
    }

    /** Nothing of a pipeline that cannot be opened stays on its device. */
    @Test
    void namesOfClassesAreReadBeforeDevicesAreLoaded() throws IOException {
        Path names = Files.writeString(folder.resolve("names.json"), "{\"names\": [{}], \"favourites\": [0]}");
        HostRuntime.get().setDeviceCount(1);
        HostRuntime.get().renewDevices();
        PipelineException refused = assertThrows(
                PipelineException.class, () -> on("cpu:1").classNames(names).open());
        assertTrue(line(refused).startsWith(names + ": names: expected a list of strings"), line(refused));
        assertEquals(0, HostRuntime.get().device(0).usedBytes());
    }

    @Test
    void latentsAreWhatPicturesAreDecodedFrom() throws Exception {
        try (DitPipeline dit = on("cpu").open()) {
            Latents latents = dit.latents(request(1, 4, 2), SILENT);
            assertEquals("(3, 4, 2, 2)", latents.shape().toString());
            assertEquals(List.of(1, 4, 2), latents.labels());
            assertArrayEquals(bytes(dit.sample(request(1, 4, 2))), bytes(dit.decode(latents)));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> dit.decode(new Latents(new float[16], Shape.of(2, 2, 2, 2), List.of(0, 0))));
        }
    }

    /** Of the noise's share, which falls from step to step. */
    @Test
    void guidanceIsOnWithinItsInterval() {
        DitPipeline dit = shared("cpu");
        float[] guided = dit.latents(request(1), SILENT).values();
        float[] unguided = dit.latents(request(1).guidance(1), SILENT).values();
        assertArrayEquals(
                guided, dit.latents(request(1).guidanceInterval(0, 1), SILENT).values());
        assertArrayEquals(
                unguided,
                dit.latents(request(1).guidanceInterval(0.2, 0.3), SILENT).values(),
                "none of three steps");
        float[] atFirst =
                dit.latents(request(1).guidanceInterval(0.5, 1), SILENT).values();
        assertFalse(Arrays.equals(guided, atFirst) || Arrays.equals(unguided, atFirst));
        assertThrows(IllegalArgumentException.class, () -> request(1).guidanceInterval(0.6, 0.5));
    }

    @Test
    void cpuNoiseIsAnotherStream() {
        try (DitPipeline cuda = on("cpu").open();
                DitPipeline cpu = on("cpu").rng(Rng.CPU).open()) {
            assertFalse(Arrays.equals(
                    cuda.sample(request(1)).getFirst().rgb(),
                    cpu.sample(request(1)).getFirst().rgb()));
        }
    }

    @Test
    void picturesTellWhatMadeThem() throws IOException {
        DitPipeline dit = shared("cpu");
        Request request = request(3, 1, 2, 0).guidance(2).sampler(SamplingMethod.DPM_SOLVER_PLUS_PLUS);
        Picture last = dit.sample(request).getLast();
        Path file = folder.resolve("told.png");
        last.write(file);
        assertArrayEquals(Files.readAllBytes(file), last.png());
        PictureFacts told = PictureFacts.read(file).orElseThrow();
        Map<String, String> facts = told.facts();
        Map.of(
                        "model", "tiny.safetensors",
                        "class-labels", "2,0",
                        "num-sampling-steps", "3",
                        "sampler", "dpm++",
                        "cfg-scale", "2.0",
                        "seed", "7",
                        "skip-batches", "1",
                        "picture", "1")
                .forEach((name, value) -> assertEquals(value, facts.get(name), name));
        assertTrue(String.valueOf(facts.get(PictureFacts.WEIGHTS)).matches("[0-9a-f]{32}"), facts.toString());
        assertEquals("tiny.safetensors: 0; 3 DPM-Solver++ steps, guidance 2.0, seed 7", told.description());
        dit.sample(request(3, 1, 2)).getLast().write(file);
        assertEquals(
                "after 2 pictures",
                PictureFacts.read(file).orElseThrow().facts().get(PictureFacts.UNLIKE));
        dit.decode(dit.latents(request, SILENT)).getFirst().write(file);
        assertTrue(PictureFacts.read(file).isEmpty(), "of latents nobody knows what made them");
    }
}
