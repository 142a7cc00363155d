package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.DitWeights.Block;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;

/** The whole engine on the tensor cores' kernels, which tornado-host emulates: the reference's tiny model. */
class TensorEngineTest {
    private static final Path SAMPLING = Path.of(System.getProperty("dit.root", ".."), "reference", "data", "sampling");
    private static final DitConfig CONFIG = DitConfig.fromJson(SAMPLING.resolve("config.json"));

    /** See {@link org.tornadodit.scheduler.graph.KernelChoice}. */
    private static final String FORM = "dit.mma";

    @BeforeEach
    void aNewDevice() {
        HostRuntime.get().renewDevices(); // other tests leave what failed devices held, and arrays that no graph frees
    }

    @AfterEach
    void nothingIsLeftOnTheDevice() {
        System.clearProperty(FORM);
        assertEquals(0, TinyModel.deviceBytes());
    }

    /**
     * The bound of the portable kernels for three products; for one, a sixth of what it is with a final layer of one product
     * (1.2e-3), and three times what was measured.
     */
    @ParameterizedTest
    @CsvSource({
        "WGMMA, '', HIGHEST, 2e-5",
        "WGMMA, '', HIGHER, 4e-5",
        "WGMMA, '', HIGH, 2e-4",
        "MMA, ampere, HIGHEST, 2e-5",
        "MMA, ampere, HIGH, 2e-4",
        "MMA, turing, HIGHEST, 2e-5",
        "MMA, volta, HIGHEST, 2e-5",
        "MMA, volta, HIGH, 2e-4"
    })
    void samplesAsPyTorch(Tier tier, String form, MatmulPrecision precision, double bound) throws IOException {
        if (!form.isEmpty()) {
            System.setProperty(FORM, form);
        }
        SamplingRequest request = request(List.of(0, 1, 2, 3, 4, 5, 0, 1));
        try (Checkpoint checkpoint = Checkpoints.open(SAMPLING.resolve("checkpoint.pt"));
                TornadoEngine engine = engine(DitWeights.load(checkpoint, CONFIG), request, precision, tier)) {
            assertTrue(engine.description().contains(tier.word() + ", "), engine.description());
            float[] latents = engine.sample(request, TorchRandn.cuda(0), (done, now) -> {});
            TensorAssert.assertRelativeError(
                    precision + " latents",
                    Shape.of(8, CONFIG.inChannels(), CONFIG.inputSize(), CONFIG.inputSize()),
                    latents,
                    NpyFile.read(SAMPLING.resolve("ddpm-3").resolve("latents.npy"))
                            .floats(),
                    bound);
        }
    }

    @Test
    void aSecondBatchHasTheBitsOfTheFirst() throws IOException {
        SamplingRequest request = request(List.of(2, 5));
        try (Checkpoint checkpoint = Checkpoints.open(SAMPLING.resolve("checkpoint.pt"));
                TornadoEngine engine = engine(DitWeights.load(checkpoint, CONFIG), request, MatmulPrecision.HIGHEST)) {
            float[] first = engine.sample(request, TorchRandn.cuda(3), (done, now) -> {});
            float[] second = engine.sample(request, TorchRandn.cuda(3), (done, now) -> {});
            assertArrayEquals(first, second);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "WGMMA, attn.qkv, the output of blocks.1.attn.qkv",
        "WGMMA, mlp.fc1, the input of blocks.1.mlp.fc2",
        "WGMMA, adaLN_modulation, the input of blocks.1.attn.qkv",
        "MMA, attn.qkv, the output of blocks.1.attn.qkv",
        "MMA, mlp.fc1, the input of blocks.1.mlp.fc2"
    })
    void namesTheTensorThatDoesNotFit(Tier tier, String layer, String name) throws IOException {
        SamplingRequest request = request(List.of(1));
        try (Checkpoint checkpoint = Checkpoints.open(SAMPLING.resolve("checkpoint.pt"))) {
            DitWeights weights = withLargeBias(DitWeights.load(checkpoint, CONFIG), layer);
            try (TornadoEngine engine = engine(weights, request, MatmulPrecision.HIGH, tier)) {
                OverflowException thrown = assertThrows(
                        OverflowException.class, () -> engine.sample(request, TorchRandn.cuda(0), (done, now) -> {}));
                assertTrue(String.valueOf(thrown.getMessage()).startsWith(name), thrown.getMessage());
            }
        }
    }

    /** Block 1 with the first bias of a layer beyond what FP16 holds. */
    private static DitWeights withLargeBias(DitWeights w, String layer) {
        List<Block> blocks = new ArrayList<>(w.blocks());
        Block b = blocks.get(1);
        blocks.set(
                1,
                new Block(
                        layer.equals("attn.qkv") ? large(b.qkv()) : b.qkv(),
                        b.projection(),
                        layer.equals("mlp.fc1") ? large(b.fc1()) : b.fc1(),
                        b.fc2(),
                        layer.equals("adaLN_modulation") ? large(b.modulation()) : b.modulation()));
        return new DitWeights(
                w.patchEmbedding(),
                w.positionEmbedding(),
                w.timestepIn(),
                w.timestepOut(),
                w.labelTable(),
                blocks,
                w.finalModulation(),
                w.finalLinear());
    }

    private static Linear large(Linear layer) {
        float[] bias = layer.bias().toArray();
        bias[0] = 1e5f;
        return new Linear(
                layer.weight(), Tensor.of(layer.bias().name(), layer.bias().shape(), bias));
    }

    private static TornadoEngine engine(DitWeights weights, SamplingRequest request, MatmulPrecision precision) {
        return engine(weights, request, precision, Tier.WGMMA);
    }

    private static TornadoEngine engine(
            DitWeights weights, SamplingRequest request, MatmulPrecision precision, Tier tier) {
        return new TornadoEngine(
                TornadoDevices.list().getFirst(),
                "tensor_",
                CONFIG,
                weights,
                TinyModel.VAE,
                TinyModel.VAE_WEIGHTS,
                request,
                false,
                new KernelOptions(precision, tier));
    }

    private static SamplingRequest request(List<Integer> labels) {
        return new SamplingRequest(labels, SamplingMethod.DDPM.of("10", 0), 4.0, Guidance.FIRST_THREE);
    }
}
