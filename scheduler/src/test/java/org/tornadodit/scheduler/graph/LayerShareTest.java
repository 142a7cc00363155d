package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.scheduler.plan.Part.Span;

class LayerShareTest {
    /** Six outputs of four inputs: the element in row r and column c is 10 r + c, the bias of row r is 100 + r. */
    private static final Linear LAYER = layer();

    private static Linear layer() {
        float[] weight = new float[24];
        float[] bias = new float[6];
        for (int row = 0; row < 6; row++) {
            for (int column = 0; column < 4; column++) {
                weight[row * 4 + column] = 10 * row + column;
            }
            bias[row] = 100 + row;
        }
        return new Linear(Tensor.of("weight", Shape.of(6, 4), weight), Tensor.of("bias", Shape.of(6), bias));
    }

    private static float[] all(WeightValues values) {
        return some(values, 0, (int) values.elements());
    }

    private static float[] some(WeightValues values, int first, int count) {
        float[] target = new float[count];
        Arrays.fill(target, Float.NaN);
        values.copyTo(first, MemorySegment.ofArray(target));
        return target;
    }

    @Test
    void someOutputsAreRunsOfRows() {
        LayerShare share = LayerShare.ofRows(LAYER, List.of(new Span(1, 1, 6), new Span(4, 2, 6)));
        float[] expected = {10, 11, 12, 13, 40, 41, 42, 43, 50, 51, 52, 53};
        assertArrayEquals(expected, all(share.weight()));
        assertArrayEquals(new float[] {101, 104, 105}, all(share.bias()));
        for (int first = 0; first < expected.length; first++) {
            for (int end = first + 1; end <= expected.length; end++) {
                assertArrayEquals(Arrays.copyOfRange(expected, first, end), some(share.weight(), first, end - first));
            }
        }
    }

    @Test
    void someInputsAreColumnsAndOneDeviceHasTheBias() {
        LayerShare first = LayerShare.ofColumns(LAYER, new Span(0, 2, 4), true);
        LayerShare second = LayerShare.ofColumns(LAYER, new Span(2, 2, 4), false);
        assertArrayEquals(new float[] {0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51}, all(first.weight()));
        assertArrayEquals(new float[] {3, 12, 13}, some(second.weight(), 1, 3));
        assertArrayEquals(LAYER.bias().toArray(), all(first.bias()));
        assertArrayEquals(new float[6], all(second.bias()));
    }

    @Test
    void aWholeLayerIsItself() {
        assertArrayEquals(LAYER.weight().toArray(), all(LayerShare.whole(LAYER).weight()));
        assertArrayEquals(LAYER.bias().toArray(), all(LayerShare.whole(LAYER).bias()));
    }
}
