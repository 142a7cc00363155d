package org.tornadodit.kernels.check;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.tornadodit.kernels.AttentionShape;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Mixed;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.TensorLinear;
import org.tornadodit.kernels.TensorVariants;

/** Kernels with {@link Mixed} operands, at sizes for the host. */
final class MixedCases {
    private MixedCases() {}

    static List<Supplier<KernelCase>> all() {
        int planes = Packed.MIXED;
        List<Supplier<KernelCase>> cases = new ArrayList<>();
        for (TensorLinear.Tile tile : TensorVariants.tiles(planes)) {
            int stage = 16 * tile.slabs();
            int columns = tile.columns();
            // Two rounds of few work groups, with more and fewer steps than stages.
            cases.add(() -> linear(300, 2 * columns, stage * 3, Epilogue.BIAS, tile));
            cases.add(() -> linear(
                    tile.rows() + 20,
                    columns * tile.beside(),
                    stage * (tile.stages(planes) + 1),
                    Epilogue.BIAS_GELU,
                    tile));
        }
        TensorLinear.Tile tile = TensorVariants.tiles(planes).getFirst();
        cases.add(() -> linear(260, 216, 64, Epilogue.GATE_RESIDUAL, tile));
        cases.add(() -> linear(272, 144, 128, Epilogue.BIAS_HEADS, tile));
        cases.add(() -> linear(130, 224, 64, Epilogue.BIAS_GELU, tile));
        cases.add(() -> TensorCases.layerNorm(2, 9, 32, planes));
        cases.add(() -> TensorCases.layerNorm(1, 20, 288, planes));
        cases.add(() -> TensorCases.layerNorm(1, 8, 1152, planes));
        cases.add(() -> AttentionCases.attention(new AttentionShape(2, 40, 4, 72), planes));
        cases.add(() -> AttentionCases.attention(new AttentionShape(2, 136, 4, 72, 56, 80), planes));
        cases.add(() -> PackingCases.pack(24, 96, planes, 0));
        cases.add(() -> PackingCases.pack(16, 64, planes, 3));
        return cases;
    }

    private static KernelCase linear(int m, int n, int k, int epilogue, TensorLinear.Tile tile) {
        return TensorCases.linear(m, n, k, epilogue, m / 2, Packed.MIXED, tile, 2);
    }
}
