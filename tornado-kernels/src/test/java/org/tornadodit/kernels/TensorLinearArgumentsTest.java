package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.TensorLinearArguments.After;
import org.tornadodit.kernels.TensorLinearArguments.Bias;
import org.tornadodit.kernels.TensorLinearArguments.GateResidual;
import org.tornadodit.kernels.TensorLinearArguments.Gelu;
import org.tornadodit.kernels.TensorLinearArguments.Heads;
import org.tornadodit.kernels.TensorLinearArguments.SentHeads;
import org.tornadodit.kernels.TensorLinearArguments.Spare;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class TensorLinearArgumentsTest {
    private static final FloatArray FLOATS = new FloatArray(1);
    private static final IntArray INTS = new IntArray(1);
    private static final Sending SENDING = new Sending(new IntArray(Exchange.LINK), 2, 1);

    /** The kernel looks for who sends in an int that other epilogues have for something else, or would not wait. */
    @Test
    void whatIsAwaitedIsForABiasOrAGatedResidual() {
        for (After after : List.of(new Bias(FLOATS), new GateResidual(FLOATS, 2, 6, FLOATS))) {
            assertNotNull(arguments(after).awaited());
        }
        for (After after : List.of(new Gelu(INTS), new Heads(INTS, 2), new SentHeads(SENDING, 2))) {
            assertEquals(
                    after.getClass().getSimpleName()
                            + " of what devices send to one another: it is awaited by a bias or a gated residual alone",
                    assertThrows(IllegalArgumentException.class, () -> arguments(after))
                            .getMessage());
        }
    }

    private static TensorLinearArguments arguments(After after) {
        ProductShape shape = new ProductShape(64, 64, 64);
        return new TensorLinearArguments(
                INTS,
                INTS,
                INTS,
                INTS,
                FLOATS,
                after,
                INTS,
                shape,
                64,
                1,
                TensorLinear.tile(1, shape.m(), shape.n(), shape.k(), 2),
                1,
                new Spare(FLOATS, INTS),
                SENDING);
    }
}
