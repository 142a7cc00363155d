package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;

/** NaN and infinity of the model's end on devices as on the CPU, and take no device out: the others would do no better. */
class DeviceFiniteTest {
    private static final SamplingRequest REQUEST = TinyModel.request(3, 1, 2);

    private final List<String> reports = new ArrayList<>();

    @BeforeEach
    void twoDevices() {
        HostRuntime.get().setDeviceCount(2);
    }

    @AfterEach
    void oneDevice() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e30, 3e38})
    void guidanceThatFloatsDoNotHold(double cfgScale) {
        SamplingRequest huge = guided(cfgScale);
        assertOverflow("a value that float32 does not hold (NaN or infinite), ", () -> {
            try (ShardedEngine engine = TinyModel.engine(TinyModel.team(2, 1, reports), huge, false)) {
                engine.decode(engine.sample(huge, TorchRandn.cuda(0), (done, now) -> {}), 2);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e30, 3e38})
    void guidanceThatFloatsDoNotHoldOnTensorCores(double cfgScale) {
        SamplingRequest huge = guided(cfgScale);
        assertOverflow("has a value ", () -> {
            try (ShardedEngine engine =
                    TinyModel.tensorEngine(TinyModel.team(2, 1, reports), huge, false, MatmulPrecision.HIGHEST)) {
                engine.decode(engine.sample(huge, TorchRandn.cuda(0), (done, now) -> {}), 2);
            }
        });
    }

    /** Found while loading, with the step that sampling would find it by. */
    @ParameterizedTest
    @CsvSource({
        "blocks.0.attn.qkv.weight, NaN, 'the batch of latents has .* by step 1;'",
        "final_layer.linear.bias, Infinity, 'the batch of latents has .* by step 1;'",
        "decoder.conv_out.bias, NaN, 'the output of the decoder has .* in the decoder;'",
        // The variance alone is too large: zeros of its row would look as if all were well.
        "blocks.0.mlp.fc1.bias, 3e38, 'the batch of latents has .* by step 1;'",
        "decoder.conv_in.bias, 1e30, 'the output of the decoder has .* in the decoder;'",
    })
    void weightsThatAreNotFinite(String spoiled, float value, String words) {
        OverflowException thrown = assertOverflow(
                "float32",
                () -> TinyModel.engine(TinyModel.team(2, 1, reports), REQUEST, spoiled, value)
                        .close());
        assertTrue(String.valueOf(thrown.getMessage()).matches(words + ".*"), thrown.getMessage());
    }

    @Test
    void varianceThatFloatsDoNotHoldOnTensorCores() {
        assertOverflow("the input of blocks.0.mlp.fc1 has a value ", () -> {
            try (ShardedEngine engine =
                    TinyModel.tensorEngine(TinyModel.team(2, 1, reports), REQUEST, "blocks.0.attn.proj.bias", 3e38f)) {
                engine.sample(REQUEST, TorchRandn.cuda(0), (done, now) -> {});
            }
        });
    }

    @Test
    void aStateThatIsNotFinite() {
        float[] latents = new float[2 * TinyModel.CONFIG.inputElements()];
        latents[3] = Float.NaN;
        assertOverflow("the state has a value", () -> {
            try (ShardedEngine engine = TinyModel.engine(TinyModel.team(1, 1, reports), REQUEST, false)) {
                engine.sample(REQUEST, TorchRandn.cuda(0), new SamplingState(2, latents), (done, now) -> {});
            }
        });
    }

    private static SamplingRequest guided(double cfgScale) {
        return new SamplingRequest(REQUEST.labels(), REQUEST.sampler(), cfgScale, Guidance.FIRST_THREE);
    }

    private OverflowException assertOverflow(String words, Runnable run) {
        OverflowException thrown = assertThrows(OverflowException.class, run::run);
        assertTrue(String.valueOf(thrown.getMessage()).contains(words), thrown.getMessage());
        assertEquals(List.of(), reports, "devices that were taken out");
        return thrown;
    }
}
