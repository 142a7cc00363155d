package org.tornadodit.model.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The innermost loop of every product: a tile of 6 rows by two vectors, held in 12 registers, so that AVX2's 16 are
 * enough and AVX-512's two multiply-add units have work while each waits 4 cycles for its result.
 */
final class TileKernel {

    static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    static final int LANES = SPECIES.length();
    static final int ROWS = 6;
    static final int COLUMNS = 2 * LANES;

    private TileKernel() {}

    /**
     * {@code tile[r][c] = sum over i of a[row r + i] * panel[p + i * COLUMNS + c]}, i from 0 up, one rounding a step
     * (fused multiply-add): the sum of an element depends on its row and its column alone.
     *
     * @param depth number of products in a sum
     * @param a left side; row r begins at {@code a[row r]}
     * @param tile (ROWS, COLUMNS), overwritten
     */
    static void multiply(
            int depth,
            float[] a,
            int row0,
            int row1,
            int row2,
            int row3,
            int row4,
            int row5,
            float[] panel,
            int p,
            float[] tile) {
        FloatVector sum00 = FloatVector.zero(SPECIES);
        FloatVector sum01 = sum00;
        FloatVector sum10 = sum00;
        FloatVector sum11 = sum00;
        FloatVector sum20 = sum00;
        FloatVector sum21 = sum00;
        FloatVector sum30 = sum00;
        FloatVector sum31 = sum00;
        FloatVector sum40 = sum00;
        FloatVector sum41 = sum00;
        FloatVector sum50 = sum00;
        FloatVector sum51 = sum00;
        for (int i = 0; i < depth; i++) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, panel, p + i * COLUMNS);
            FloatVector b1 = FloatVector.fromArray(SPECIES, panel, p + i * COLUMNS + LANES);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[row0 + i]);
            sum00 = a0.fma(b0, sum00);
            sum01 = a0.fma(b1, sum01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[row1 + i]);
            sum10 = a1.fma(b0, sum10);
            sum11 = a1.fma(b1, sum11);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[row2 + i]);
            sum20 = a2.fma(b0, sum20);
            sum21 = a2.fma(b1, sum21);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[row3 + i]);
            sum30 = a3.fma(b0, sum30);
            sum31 = a3.fma(b1, sum31);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[row4 + i]);
            sum40 = a4.fma(b0, sum40);
            sum41 = a4.fma(b1, sum41);
            FloatVector a5 = FloatVector.broadcast(SPECIES, a[row5 + i]);
            sum50 = a5.fma(b0, sum50);
            sum51 = a5.fma(b1, sum51);
        }
        sum00.intoArray(tile, 0);
        sum01.intoArray(tile, LANES);
        sum10.intoArray(tile, COLUMNS);
        sum11.intoArray(tile, COLUMNS + LANES);
        sum20.intoArray(tile, 2 * COLUMNS);
        sum21.intoArray(tile, 2 * COLUMNS + LANES);
        sum30.intoArray(tile, 3 * COLUMNS);
        sum31.intoArray(tile, 3 * COLUMNS + LANES);
        sum40.intoArray(tile, 4 * COLUMNS);
        sum41.intoArray(tile, 4 * COLUMNS + LANES);
        sum50.intoArray(tile, 5 * COLUMNS);
        sum51.intoArray(tile, 5 * COLUMNS + LANES);
    }
}
