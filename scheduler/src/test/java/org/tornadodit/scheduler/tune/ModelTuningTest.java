package org.tornadodit.scheduler.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.LayerNorm;
import org.tornadodit.kernels.LinearFewRows;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.Variant;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.SeededCheckpoint;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.graph.DitBuffers;
import org.tornadodit.scheduler.graph.DitDeviceWeights;
import org.tornadodit.scheduler.graph.DitGraphs;
import org.tornadodit.scheduler.graph.Operations;
import org.tornadodit.scheduler.graph.PortableOperations;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.StepPlan;
import uk.ac.manchester.tornado.api.GridScheduler;

/** The engine asks for what the autotuner tunes, and uses it. */
class ModelTuningTest {
    private static final DitConfig CONFIG = new DitConfig(4, 2, 4, 24, 2, 3, 4.0, 5, true);
    private static final DitWeights WEIGHTS =
            DitWeights.load(new SeededCheckpoint(DitWeights.specs(CONFIG), 1), CONFIG);
    private static final int SAMPLES = 3;
    private static final Part PART = Part.of(CONFIG, SAMPLES, true);
    private static final ListedDevice DEVICE = TornadoDevices.list().getFirst();

    /** So the keys that the engine asks for are those that the autotuner stores. */
    @Test
    void everyTaskIsLaunchedAsItsVariantSays() {
        Map<OperationShape, Variant> choices = new LinkedHashMap<>();
        ModelTuning.operations(DEVICE, CONFIG, KernelOptions.DEFAULT, PART)
                .forEach(one -> choices.put(one.operation(), one.variants().getLast()));
        Operations operations = new PortableOperations(new Tuning(choices));
        GridScheduler grids = new GridScheduler();
        new DitGraphs(
                        "launch_",
                        CONFIG,
                        DitDeviceWeights.of(WEIGHTS, operations, PART),
                        new DitBuffers(CONFIG, PART, operations),
                        StepPlan.whole(PART),
                        PART,
                        operations)
                .build(grids, false);
        int norm = 32 * LayerNorm.VARIANTS.getLast().get(LayerNorm.ROWS);
        int fewRows = 32 * LinearFewRows.variants(1, 1).getLast().get(LinearFewRows.WARPS);
        int patches = Launch.ELEMENTWISE_VARIANTS.getLast().get(Launch.THREADS);
        Map.of(
                        "embed.patches", patches,
                        "embed.t_embedder_mlp_0", fewRows,
                        "embed.t_embedder_mlp_2", fewRows,
                        "embed.adaLN_modulation", fewRows,
                        "block.norm1", norm,
                        "block.norm2", norm,
                        "last.final_layer_adaLN_modulation", fewRows,
                        "last.final_layer_norm", norm)
                .forEach((task, threads) ->
                        assertEquals((long) threads, grids.get("launch_" + task).getLocalWork()[0], task));
    }
}
