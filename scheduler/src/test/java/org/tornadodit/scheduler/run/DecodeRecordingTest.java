package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.RerunningRecorder;
import org.tornadodit.scheduler.engine.SamplingRequest;

/** When a pass of the decoder is recorded: before a run comes to it. */
class DecodeRecordingTest {
    private static final SamplingRequest REQUEST = TinyModel.request(3, 1, 2);

    private final List<String> reports = new ArrayList<>();

    @BeforeEach
    @AfterEach
    void oneDevice() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
        RerunningRecorder.renew();
    }

    /** While a step runs: a step is recorded with the engine, and the first of a run has the decoder recorded beside it. */
    @Test
    void theFirstDecodeOfARunIsOneLaunch() {
        int steps = REQUEST.steps();
        try (ShardedEngine engine = TinyModel.engine(TinyModel.team(1, 10, reports), REQUEST, false)) {
            assertEquals(1, RerunningRecorder.RECORDED.get());
            assertEquals(0, RerunningRecorder.RUN.get());
            float[] latents = engine.sample(REQUEST, TorchRandn.cuda(0), (done, now) -> {});
            assertEquals(2, RerunningRecorder.RECORDED.get());
            assertEquals(steps, RerunningRecorder.RUN.get());
            float[] images = engine.decode(latents, 2);
            assertEquals(steps + 1, RerunningRecorder.RUN.get());
            assertEquals(2, RerunningRecorder.RECORDED.get());
            assertArrayEquals(images, engine.decode(latents, 2));
            assertEquals(steps + 2, RerunningRecorder.RUN.get());
            float[] one = engine.decode(Arrays.copyOf(latents, latents.length / 2), 1);
            assertArrayEquals(Arrays.copyOf(images, images.length / 2), one);
        }
        assertEquals(List.of(), reports);
    }

    /** Nobody knows how many it will be: a number of images is recorded when it comes again. */
    @Test
    void withoutSamplingADecodeIsRecordedWhenItComesAgain() {
        float[] latents = new float[2 * TinyModel.CONFIG.inputElements()];
        for (int i = 0; i < latents.length; i++) {
            latents[i] = (float) Math.sin(i);
        }
        try (ShardedEngine engine = TinyModel.engine(TinyModel.team(1, 10, reports), REQUEST, false)) {
            float[] inTurn = engine.decode(latents, 2);
            assertEquals(1, RerunningRecorder.RECORDED.get(), "a step");
            assertArrayEquals(inTurn, engine.decode(latents, 2));
            assertEquals(2, RerunningRecorder.RECORDED.get());
            assertArrayEquals(inTurn, engine.decode(latents, 2));
            assertEquals(2, RerunningRecorder.RECORDED.get());
            assertEquals(2, RerunningRecorder.RUN.get());
        }
    }
}
