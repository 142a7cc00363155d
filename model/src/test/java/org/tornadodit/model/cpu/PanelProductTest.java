package org.tornadodit.model.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.cpu.MatrixProduct.Left;
import org.tornadodit.model.cpu.MatrixProduct.Output;

/** Products against EJML in float64; the bound is that of a sum in blocks, a few units in the last place. */
class PanelProductTest {

    private static final double BOUND = 1e-6;

    private final PanelProduct product = new PanelProduct();

    @ParameterizedTest
    @CsvSource({
        "1, 1, 1",
        "6, 32, 16",
        "7, 33, 17",
        "5, 31, 288",
        "97, 65, 289",
        "13, 3, 72",
        "100, 288, 1152",
        "3, 100, 577",
        "1, 864, 288",
        "193, 7, 5"
    })
    void equalsEjml(int rows, int columns, int depth) {
        float[] x = Randoms.normal(rows * depth, 1);
        float[] weight = Randoms.normal(columns * depth, 2);
        float[] bias = Randoms.normal(columns, 3);
        DMatrixRMaj expected = new DMatrixRMaj(rows, columns);
        CommonOps_DDRM.multTransB(
                DMatrixRMaj.wrap(rows, depth, Randoms.wide(x)),
                DMatrixRMaj.wrap(columns, depth, Randoms.wide(weight)),
                expected);
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                expected.add(r, c, bias[c]);
            }
        }
        Shape shape = Shape.of(rows, columns);
        float[] reference = linear(2, x, rows, weight, columns, depth, bias);
        TensorAssert.assertRelativeError("linear", shape, reference, expected.data, BOUND);
        for (int threads : new int[] {1, 3}) {
            assertArrayEquals(reference, linear(threads, x, rows, weight, columns, depth, bias), threads + " threads");
        }
        float[] last =
                linear(1, Arrays.copyOfRange(x, (rows - 1) * depth, rows * depth), 1, weight, columns, depth, bias);
        assertArrayEquals(Arrays.copyOfRange(reference, (rows - 1) * columns, rows * columns), last, "a row alone");
    }

    private float[] linear(int threads, float[] x, int rows, float[] weight, int columns, int depth, float[] bias) {
        PackedMatrix right = new PackedMatrix();
        right.resize(depth, columns);
        for (int panel = 0; panel < right.panels(); panel++) {
            right.packWeight(panel, MemorySegment.ofArray(weight), 1, new float[0]);
        }
        float[] out = new float[rows * columns];
        try (Workers workers = new Workers(threads)) {
            product.multiply(workers, Left.matrix(x, 0, depth), rows, right, bias, new Output(out, 0, columns));
        }
        return out;
    }

    @Test
    void bothWaysOfPackingAgree() {
        int depth = 19;
        int columns = 45;
        float[] rows = Randoms.normal(depth * columns, 4);
        float[] turned = new float[rows.length];
        for (int i = 0; i < depth; i++) {
            for (int c = 0; c < columns; c++) {
                turned[c * depth + i] = rows[i * columns + c];
            }
        }
        PackedMatrix a = new PackedMatrix();
        PackedMatrix b = new PackedMatrix();
        a.resize(depth, columns);
        b.resize(depth, columns);
        for (int panel = 0; panel < a.panels(); panel++) {
            a.packRows(panel, rows, 0, columns);
            b.packTransposed(panel, turned, 0, depth);
        }
        assertArrayEquals(a.data(), b.data());
    }

    @Test
    void aTaskThatFailsFailsTheCaller() {
        try (Workers workers = new Workers(2)) {
            IllegalStateException thrown = assertThrows(
                    IllegalStateException.class,
                    () -> workers.forEach(100, (task, worker) -> {
                        if (task == 41) {
                            throw new IllegalStateException("task 41");
                        }
                    }));
            assertEquals("task 41", thrown.getMessage());
        }
    }
}
