package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;

/** What float32 does not hold ends in an error that names step and tensor, not in a picture. */
class CpuEngineFiniteTest {

    private static final SamplingRequest REQUEST = TinyModel.request(3, 1, 2);

    @ParameterizedTest
    @CsvSource({
        "x_embedder.proj.weight, NaN, the output of x_embedder",
        "pos_embed, Infinity, the sum of x_embedder and pos_embed",
        "t_embedder.mlp.2.bias, NaN, the output of t_embedder",
        "blocks.0.attn.qkv.weight, Infinity, the output of blocks.0.attn.qkv",
        "blocks.0.attn.proj.bias, -Infinity, the output of blocks.0.attn",
        "blocks.0.mlp.fc1.bias, 3e38, the variance in final_layer.norm_final",
        "blocks.0.adaLN_modulation.1.bias, NaN, the output of blocks.0.adaLN_modulation",
        "final_layer.linear.weight, NaN, the output of final_layer",
    })
    void namesTheTensorOfTheDenoiser(String spoiled, float value, String found) {
        List<Integer> steps = new ArrayList<>();
        try (CpuEngine engine = TinyModel.cpuEngine(spoiled, value)) {
            OverflowException thrown = assertThrows(
                    OverflowException.class,
                    () -> engine.sample(REQUEST, TorchRandn.cuda(0), (done, now) -> steps.add(done)));
            assertMessage(found, "by step 1", thrown);
        }
        assertEquals(List.of(), steps, "steps told to the listener, which would keep or show them");
    }

    @ParameterizedTest
    @CsvSource({
        "decoder.conv_in.bias, NaN, the output of decoder.conv_in",
        "post_quant_conv.weight, Infinity, the output of post_quant_conv",
        "decoder.up_blocks.1.resnets.0.conv2.weight, NaN, the output of decoder.up_blocks.1.resnets.0.conv2",
        "decoder.conv_out.bias, NaN, the output of decoder.conv_out",
    })
    void namesTheTensorOfTheDecoder(String spoiled, float value, String found) {
        try (CpuEngine engine = TinyModel.cpuEngine(spoiled, value)) {
            float[] latents = engine.sample(REQUEST, TorchRandn.cuda(0), (done, now) -> {});
            assertMessage(
                    found, "in the decoder", assertThrows(OverflowException.class, () -> engine.decode(latents, 2)));
        }
    }

    /** LayerNorm makes zeros of values whose squares float32 does not hold: all is finite, and wrong. */
    @Test
    void noticesGuidanceThatOverflowsAVariance() {
        OverflowException thrown = assertThrows(OverflowException.class, () -> sample(1e30, SamplingState.START));
        assertMessage("the variance in blocks.0.norm1", "by step 2", thrown);
    }

    @Test
    void noticesGuidanceThatOverflowsThePrediction() {
        OverflowException thrown = assertThrows(OverflowException.class, () -> sample(3e38, SamplingState.START));
        assertTrue(String.valueOf(thrown.getMessage()).contains("by step "), thrown.getMessage());
    }

    @Test
    void noticesAStateThatIsNotFinite() {
        float[] latents = new float[2 * TinyModel.CONFIG.inputElements()];
        latents[3] = Float.NaN;
        OverflowException thrown =
                assertThrows(OverflowException.class, () -> sample(4, new SamplingState(2, latents)));
        assertMessage("the state", "by step 2", thrown);
    }

    private static void sample(double cfgScale, SamplingState from) {
        SamplingRequest request =
                new SamplingRequest(REQUEST.labels(), REQUEST.sampler(), cfgScale, Guidance.FIRST_THREE);
        try (CpuEngine engine = TinyModel.cpuEngine()) {
            float[] latents = engine.sample(request, TorchRandn.cuda(0), from, (done, now) -> {});
            throw new AssertionError("latents " + Arrays.toString(latents));
        }
    }

    private static void assertMessage(String tensor, String when, OverflowException thrown) {
        assertEquals(
                tensor + " has a value that float32 does not hold (NaN or infinite), " + when
                        + "; see whether the weights are whole and --cfg-scale is moderate",
                thrown.getMessage());
    }
}
