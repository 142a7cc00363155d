package org.tornadodit.kernels.ptx;

/**
 * The tensor core of a warp (sm_80 and later; {@link #m16n8k8} and ldmatrix from sm_75 on, {@link #m8n8k4} from sm_70): all 32 lanes make the call together. With lane l, g = l / 4 and q = l % 4,
 * the fragments of m16n8k16 are, two halves (columns 2q, 2q + 1 of a block of eight) in a register:
 *
 * <pre>
 *   A (16, 16): rows g, g + 8, g, g + 8; k 2q, 2q, 2q + 8, 2q + 8     four registers
 *   B (16, 8):  column g; k 2q, 2q + 8                                two registers
 *   C (16, 8):  (g, 2q), (g, 2q + 1), (g + 8, 2q), (g + 8, 2q + 1)    four floats
 * </pre>
 */
public final class Mma {

    private Mma() {}

    /**
     * Four 8x8 matrices of halves from shared memory into registers {@code i} to {@code i + 3}: lanes 8 j to 8 j + 7 give
     * the addresses of the rows (16 bytes each) of matrix j; lane l gets columns 2 (l % 4) and the next of row l / 4.
     */
    @Instruction("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {$0[1..4]}, [$2];")
    public static void loadMatrices4(int[] registers, int i, int address) {
        MatrixLanes.load(4, false, registers, i, address);
    }

    /** The same, each matrix transposed: lane l gets rows 2 (l % 4) and the next of column l / 4. */
    @Instruction("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {$0[1..4]}, [$2];")
    public static void loadMatrices4Transposed(int[] registers, int i, int address) {
        MatrixLanes.load(4, true, registers, i, address);
    }

    /** Two matrices, whose addresses lanes 0 to 15 give. */
    @Instruction("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {$0[1..2]}, [$2];")
    public static void loadMatrices2(int[] registers, int i, int address) {
        MatrixLanes.load(2, false, registers, i, address);
    }

    /** Two matrices, transposed. */
    @Instruction("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {$0[1..2]}, [$2];")
    public static void loadMatrices2Transposed(int[] registers, int i, int address) {
        MatrixLanes.load(2, true, registers, i, address);
    }

    /** {@code C += A B}, m16n8k16: C in {@code sums} from {@code s}, A in {@code a} from {@code i}, B in {@code b} from {@code j}. */
    @Instruction("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {$0[1..4]}, {$2[3..4]}, {$4[5..2]}, {$0[1..4]};")
    public static void m16n8k16(float[] sums, int s, int[] a, int i, int[] b, int j) {
        MatrixLanes.multiply(16, sums, s, a, i, b, j);
    }

    /** {@code C += A B}, m16n8k8: A (16, 8) in two registers (rows g, g + 8; k 2q), B (8, 8) in one (column g; k 2q). */
    @Instruction("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {$0[1..4]}, {$2[3..2]}, {$4[5]}, {$0[1..4]};")
    public static void m16n8k8(float[] sums, int s, int[] a, int i, int[] b, int j) {
        MatrixLanes.multiply(8, sums, s, a, i, b, j);
    }

    /**
     * Four products {@code C += A B} of 8 x 8 x 4 (sm_70, slow on later ones), of lanes 4 p to 4 p + 3 and 16 more each. With r
     * = l % 4 in the first four of them and r = l % 4 + 4 in the others:
     *
     * <pre>
     *   A (8, 4): row r; k 0 to 3                                       two registers
     *   B (4, 8): column r; k 0 to 3                                    two registers
     *   C (8, 8): register i is row 4 (l / 16) + l % 2 + i / 2 % 2 * 2,
     *             column i / 4 * 4 + l / 2 % 2 * 2 + i % 2              eight floats
     * </pre>
     */
    @Instruction("mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32 {$0[1..8]}, {$2[3..2]}, {$4[5..2]}, {$0[1..8]};")
    public static void m8n8k4(float[] sums, int s, int[] a, int i, int[] b, int j) {
        MatrixLanes.multiplyQuarters(false, sums, s, a, i, b, j);
    }

    /** The same with B's rows: k l % 4, columns 0 to 3 in the first four lanes and 4 to 7 in the others. */
    @Instruction("mma.sync.aligned.m8n8k4.row.row.f32.f16.f16.f32 {$0[1..8]}, {$2[3..2]}, {$4[5..2]}, {$0[1..8]};")
    public static void m8n8k4Rows(float[] sums, int s, int[] a, int i, int[] b, int j) {
        MatrixLanes.multiplyQuarters(true, sums, s, a, i, b, j);
    }
}
