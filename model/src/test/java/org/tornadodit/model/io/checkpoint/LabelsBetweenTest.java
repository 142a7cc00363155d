package org.tornadodit.model.io.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.RandomCheckpoint;
import org.tornadodit.model.Shape;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;

class LabelsBetweenTest {
    private static final DitConfig CONFIG = new DitConfig(2, 1, 4, 8, 1, 2, 2, 6, true);
    private static final String TABLE = "y_embedder.embedding_table.weight";

    @Test
    void addsClassesBeforeTheNullClass() {
        Checkpoint source = new RandomCheckpoint(DitWeights.specs(CONFIG), 3);
        Checkpoint more = new LabelsBetween(source, 4, 1, List.of(0.25, 0.5));
        DitConfig config = CONFIG.withClasses(8);
        DitWeights.requireFit(more, config);
        assertEquals(Shape.of(9, 8), more.shape(TABLE));
        float[] old = source.tensor(TABLE).toArray();
        float[] all = more.tensor(TABLE).toArray();
        assertArrayEquals(Arrays.copyOf(old, 6 * 8), Arrays.copyOf(all, 6 * 8), "the classes that it had");
        for (int j = 0; j < 8; j++) {
            double from = old[4 * 8 + j];
            double to = old[8 + j];
            assertEquals(0.75 * from + 0.25 * to, all[6 * 8 + j], 1e-6);
            assertEquals((from + to) / 2, all[7 * 8 + j], 1e-6);
            assertEquals(old[6 * 8 + j], all[8 * 8 + j], "the null class");
        }
        String other = "blocks.0.attn.qkv.weight";
        assertSame(source.tensor(other), more.tensor(other));
    }
}
