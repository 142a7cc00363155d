package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid3D;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * torch.nn.Linear, {@code out(M,N) = x(M,K) W(N,K)^T}, and what follows it, in plain FP32.
 *
 * <p>A work group of 256 threads makes a tile of 128 x 128 outputs, a thread 8 x 8 of them, which it keeps in
 * registers. The operands pass through local memory in two buffers of 8 k each: while one is used, the next 8 k come
 * from global memory into registers and are written to the other.
 *
 * <p>The compilers shape the code; docs/history/performance.md has what was measured. TornadoVM keeps a Java array in registers
 * only when it is spelled out as variables. Its PTX has 32-bit accesses only, but ptxas joins four of them where the run
 * is contiguous and its alignment provable: hence two runs of four, multiples of four everywhere, and a buffer found
 * from the loop counter instead of swapped. TornadoVM unrolls an inner loop of four rounds, not one of eight: hence two
 * of them, whose offsets are constants and cost no instruction. The loads from global memory and the writes of what they
 * bring stand in the same round, before and after the sums: where the writes came first in the next round, ptxas moved
 * the loads down beside them, or gave the sums registers of one bank, and both cost a tenth of the speed. The order of
 * the sums in the source has no influence at all.
 *
 * <p>Any M, N and K. All sizes are constants when the kernel is compiled, so whole tiles pay nothing for the edges.
 */
public final class Linear {
    /** Rows and columns of the tile of one work group. */
    public static final int TILE = 128;

    /** Threads of one work group. */
    public static final int THREADS = 256;

    /** Input features of one of the two buffers. */
    public static final int K_TILE = 8;

    /** Floats from one k to the next in local memory; 4 more than the tile keep the transposing writes apart. */
    private static final int STRIDE = TILE + 4;

    private Linear() {}

    /** The launch of {@code batch} products of (m, n); batch is 1 but for stacks of matrices. */
    public static WorkerGrid grid(int m, int n, int batch) {
        WorkerGrid grid = new WorkerGrid3D(Launch.ceilDiv(n, TILE) * THREADS, Launch.ceilDiv(m, TILE), batch);
        grid.setLocalWork(THREADS, 1, 1);
        return grid;
    }

    /**
     * The product of each matrix z of a stack (z is 0 for one matrix) with its epilogue. What is not said here is in
     * {@link LinearArguments}, which makes the task.
     *
     * @param x (M, K), from element z * xStride
     * @param weight (layers, N, K), from element z * weightStride
     * @param out (M, N), from element z * outStride
     * @param gateOffset first column of the gate's chunk in layer 0
     * @param gateStride columns of the gate's array
     */
    public static void linear(
            KernelContext context,
            IntArray layer,
            IntArray batch,
            FloatArray x,
            FloatArray weight,
            FloatArray bias,
            FloatArray residual,
            FloatArray gate,
            FloatArray out,
            @AtLaunch(multipleOf = TILE) int m,
            int n,
            int k,
            int epilogue,
            int rowsPerPass,
            int gateOffset,
            int gateStride,
            int xStride,
            int weightStride,
            int outStride) {
        float[] aShared = context.allocateFloatLocalArray(2 * K_TILE * STRIDE);
        float[] bShared = context.allocateFloatLocalArray(2 * K_TILE * STRIDE);
        int thread = context.localIdx;
        int firstRow = context.groupIdy * TILE;
        if (firstRow < batch.get(Batch.PASSES) * rowsPerPass) {
            int firstColumn = context.groupIdx * TILE;
            int z = context.groupIdz;

            // Loading: 8 threads along k, so that a 32-byte sector is used whole; rows past the end repeat the last one.
            int loadK = thread % K_TILE;
            int loadRow = thread / K_TILE;
            int xBase = z * xStride + loadK;
            int biasBase = layer.get(0) * n;
            int wBase = z * weightStride + layer.get(0) * n * k + loadK;
            int x0 = xBase + rowAt(firstRow + loadRow, m) * k;
            int x1 = rowsOn(firstRow + loadRow, 32, m) * k;
            int x2 = rowsOn(firstRow + loadRow, 64, m) * k;
            int x3 = rowsOn(firstRow + loadRow, 96, m) * k;
            int w0 = wBase + rowAt(firstColumn + loadRow, n) * k;
            int w1 = rowsOn(firstColumn + loadRow, 32, n) * k;
            int w2 = rowsOn(firstColumn + loadRow, 64, n) * k;
            int w3 = rowsOn(firstColumn + loadRow, 96, n) * k;
            float p0 = 0f;
            float p1 = 0f;
            float p2 = 0f;
            float p3 = 0f;
            float q0 = 0f;
            float q1 = 0f;
            float q2 = 0f;
            float q3 = 0f;
            if (k % K_TILE == 0 || loadK < k) {
                p0 = x.get(x0);
                p1 = x.get(x0 + x1);
                p2 = x.get(x0 + x2);
                p3 = x.get(x0 + x3);
                q0 = weight.get(w0);
                q1 = weight.get(w0 + w1);
                q2 = weight.get(w0 + w2);
                q3 = weight.get(w0 + w3);
            }

            // Computing: a warp covers 8 x 4 threads of the 16 x 16, neighbours one above the other, so that the wide reads
            // of local memory are of few different addresses; a thread's rows and columns are two runs of four.
            int column = (thread % 2 + thread / 16 % 2 * 2 + thread / 32 % 4 * 4) * 4;
            int row = (thread / 2 % 8 + thread / 128 * 8) * 4;
            float c00 = 0f, c01 = 0f, c02 = 0f, c03 = 0f, c04 = 0f, c05 = 0f, c06 = 0f, c07 = 0f;
            float c10 = 0f, c11 = 0f, c12 = 0f, c13 = 0f, c14 = 0f, c15 = 0f, c16 = 0f, c17 = 0f;
            float c20 = 0f, c21 = 0f, c22 = 0f, c23 = 0f, c24 = 0f, c25 = 0f, c26 = 0f, c27 = 0f;
            float c30 = 0f, c31 = 0f, c32 = 0f, c33 = 0f, c34 = 0f, c35 = 0f, c36 = 0f, c37 = 0f;
            float c40 = 0f, c41 = 0f, c42 = 0f, c43 = 0f, c44 = 0f, c45 = 0f, c46 = 0f, c47 = 0f;
            float c50 = 0f, c51 = 0f, c52 = 0f, c53 = 0f, c54 = 0f, c55 = 0f, c56 = 0f, c57 = 0f;
            float c60 = 0f, c61 = 0f, c62 = 0f, c63 = 0f, c64 = 0f, c65 = 0f, c66 = 0f, c67 = 0f;
            float c70 = 0f, c71 = 0f, c72 = 0f, c73 = 0f, c74 = 0f, c75 = 0f, c76 = 0f, c77 = 0f;
            int store = loadK * STRIDE + loadRow;
            aShared[store] = p0;
            aShared[store + 32] = p1;
            aShared[store + 64] = p2;
            aShared[store + 96] = p3;
            bShared[store] = q0;
            bShared[store + 32] = q1;
            bShared[store + 64] = q2;
            bShared[store + 96] = q3;
            for (int first = 0; first < k; first += K_TILE) {
                int buffer = (first & K_TILE) * STRIDE;
                context.localBarrier();
                // The last round loads the first tile once more instead of branching.
                int next = first + K_TILE < k ? first + K_TILE : 0;
                if (k % K_TILE == 0 || next + loadK < k) {
                    int xAt = x0 + next;
                    int wAt = w0 + next;
                    p0 = x.get(xAt);
                    p1 = x.get(xAt + x1);
                    p2 = x.get(xAt + x2);
                    p3 = x.get(xAt + x3);
                    q0 = weight.get(wAt);
                    q1 = weight.get(wAt + w1);
                    q2 = weight.get(wAt + w2);
                    q3 = weight.get(wAt + w3);
                } else {
                    p0 = 0f;
                    p1 = 0f;
                    p2 = 0f;
                    p3 = 0f;
                    q0 = 0f;
                    q1 = 0f;
                    q2 = 0f;
                    q3 = 0f;
                }
                int aAt = buffer + row;
                int bAt = buffer + column;
                for (int i = 0; i < 4; i++) {
                    int a = aAt + i * STRIDE;
                    int b = bAt + i * STRIDE;
                    float a0 = aShared[a];
                    float a1 = aShared[a + 1];
                    float a2 = aShared[a + 2];
                    float a3 = aShared[a + 3];
                    float a4 = aShared[a + 64];
                    float a5 = aShared[a + 65];
                    float a6 = aShared[a + 66];
                    float a7 = aShared[a + 67];
                    float b0 = bShared[b];
                    float b1 = bShared[b + 1];
                    float b2 = bShared[b + 2];
                    float b3 = bShared[b + 3];
                    float b4 = bShared[b + 64];
                    float b5 = bShared[b + 65];
                    float b6 = bShared[b + 66];
                    float b7 = bShared[b + 67];
                    // spotless:off
                    c00 += a0 * b0; c01 += a0 * b1; c02 += a0 * b2; c03 += a0 * b3;
                    c04 += a0 * b4; c05 += a0 * b5; c06 += a0 * b6; c07 += a0 * b7;
                    c10 += a1 * b0; c11 += a1 * b1; c12 += a1 * b2; c13 += a1 * b3;
                    c14 += a1 * b4; c15 += a1 * b5; c16 += a1 * b6; c17 += a1 * b7;
                    c20 += a2 * b0; c21 += a2 * b1; c22 += a2 * b2; c23 += a2 * b3;
                    c24 += a2 * b4; c25 += a2 * b5; c26 += a2 * b6; c27 += a2 * b7;
                    c30 += a3 * b0; c31 += a3 * b1; c32 += a3 * b2; c33 += a3 * b3;
                    c34 += a3 * b4; c35 += a3 * b5; c36 += a3 * b6; c37 += a3 * b7;
                    c40 += a4 * b0; c41 += a4 * b1; c42 += a4 * b2; c43 += a4 * b3;
                    c44 += a4 * b4; c45 += a4 * b5; c46 += a4 * b6; c47 += a4 * b7;
                    c50 += a5 * b0; c51 += a5 * b1; c52 += a5 * b2; c53 += a5 * b3;
                    c54 += a5 * b4; c55 += a5 * b5; c56 += a5 * b6; c57 += a5 * b7;
                    c60 += a6 * b0; c61 += a6 * b1; c62 += a6 * b2; c63 += a6 * b3;
                    c64 += a6 * b4; c65 += a6 * b5; c66 += a6 * b6; c67 += a6 * b7;
                    c70 += a7 * b0; c71 += a7 * b1; c72 += a7 * b2; c73 += a7 * b3;
                    c74 += a7 * b4; c75 += a7 * b5; c76 += a7 * b6; c77 += a7 * b7;
                    // spotless:on
                }
                for (int i = 4; i < 8; i++) {
                    int a = aAt + i * STRIDE;
                    int b = bAt + i * STRIDE;
                    float a0 = aShared[a];
                    float a1 = aShared[a + 1];
                    float a2 = aShared[a + 2];
                    float a3 = aShared[a + 3];
                    float a4 = aShared[a + 64];
                    float a5 = aShared[a + 65];
                    float a6 = aShared[a + 66];
                    float a7 = aShared[a + 67];
                    float b0 = bShared[b];
                    float b1 = bShared[b + 1];
                    float b2 = bShared[b + 2];
                    float b3 = bShared[b + 3];
                    float b4 = bShared[b + 64];
                    float b5 = bShared[b + 65];
                    float b6 = bShared[b + 66];
                    float b7 = bShared[b + 67];
                    // spotless:off
                    c00 += a0 * b0; c01 += a0 * b1; c02 += a0 * b2; c03 += a0 * b3;
                    c04 += a0 * b4; c05 += a0 * b5; c06 += a0 * b6; c07 += a0 * b7;
                    c10 += a1 * b0; c11 += a1 * b1; c12 += a1 * b2; c13 += a1 * b3;
                    c14 += a1 * b4; c15 += a1 * b5; c16 += a1 * b6; c17 += a1 * b7;
                    c20 += a2 * b0; c21 += a2 * b1; c22 += a2 * b2; c23 += a2 * b3;
                    c24 += a2 * b4; c25 += a2 * b5; c26 += a2 * b6; c27 += a2 * b7;
                    c30 += a3 * b0; c31 += a3 * b1; c32 += a3 * b2; c33 += a3 * b3;
                    c34 += a3 * b4; c35 += a3 * b5; c36 += a3 * b6; c37 += a3 * b7;
                    c40 += a4 * b0; c41 += a4 * b1; c42 += a4 * b2; c43 += a4 * b3;
                    c44 += a4 * b4; c45 += a4 * b5; c46 += a4 * b6; c47 += a4 * b7;
                    c50 += a5 * b0; c51 += a5 * b1; c52 += a5 * b2; c53 += a5 * b3;
                    c54 += a5 * b4; c55 += a5 * b5; c56 += a5 * b6; c57 += a5 * b7;
                    c60 += a6 * b0; c61 += a6 * b1; c62 += a6 * b2; c63 += a6 * b3;
                    c64 += a6 * b4; c65 += a6 * b5; c66 += a6 * b6; c67 += a6 * b7;
                    c70 += a7 * b0; c71 += a7 * b1; c72 += a7 * b2; c73 += a7 * b3;
                    c74 += a7 * b4; c75 += a7 * b5; c76 += a7 * b6; c77 += a7 * b7;
                    // spotless:on
                }
                int other = K_TILE * STRIDE - buffer + store;
                aShared[other] = p0;
                aShared[other + 32] = p1;
                aShared[other + 64] = p2;
                aShared[other + 96] = p3;
                bShared[other] = q0;
                bShared[other + 32] = q1;
                bShared[other + 64] = q2;
                bShared[other + 96] = q3;
            }
            context.localBarrier();

            // Sixteen rows at a time go through local memory, so that a warp stores runs of a row, and the epilogue is
            // compiled
            // once: in TornadoVM's graph an access to an array is some twenty nodes, and 64 epilogues would pass its
            // limits.
            int outBase = z * outStride;
            int gateBase = gateOffset + LayerNorm.CHUNKS * biasBase;
            boolean columnInside = firstColumn + thread % TILE < n;
            int outColumn = rowAt(firstColumn + thread % TILE, n);
            for (int threadRow = 0; threadRow < 8; threadRow++) {
                int at = row / 4 * TILE + column;
                // spotless:off
                if (threadRow == 0) {
                    aShared[at] = c00; aShared[at + 1] = c01; aShared[at + 2] = c02; aShared[at + 3] = c03;
                    aShared[at + 64] = c04; aShared[at + 65] = c05; aShared[at + 66] = c06; aShared[at + 67] = c07;
                } else if (threadRow == 1) {
                    aShared[at] = c10; aShared[at + 1] = c11; aShared[at + 2] = c12; aShared[at + 3] = c13;
                    aShared[at + 64] = c14; aShared[at + 65] = c15; aShared[at + 66] = c16; aShared[at + 67] = c17;
                } else if (threadRow == 2) {
                    aShared[at] = c20; aShared[at + 1] = c21; aShared[at + 2] = c22; aShared[at + 3] = c23;
                    aShared[at + 64] = c24; aShared[at + 65] = c25; aShared[at + 66] = c26; aShared[at + 67] = c27;
                } else if (threadRow == 3) {
                    aShared[at] = c30; aShared[at + 1] = c31; aShared[at + 2] = c32; aShared[at + 3] = c33;
                    aShared[at + 64] = c34; aShared[at + 65] = c35; aShared[at + 66] = c36; aShared[at + 67] = c37;
                } else if (threadRow == 4) {
                    aShared[at] = c40; aShared[at + 1] = c41; aShared[at + 2] = c42; aShared[at + 3] = c43;
                    aShared[at + 64] = c44; aShared[at + 65] = c45; aShared[at + 66] = c46; aShared[at + 67] = c47;
                } else if (threadRow == 5) {
                    aShared[at] = c50; aShared[at + 1] = c51; aShared[at + 2] = c52; aShared[at + 3] = c53;
                    aShared[at + 64] = c54; aShared[at + 65] = c55; aShared[at + 66] = c56; aShared[at + 67] = c57;
                } else if (threadRow == 6) {
                    aShared[at] = c60; aShared[at + 1] = c61; aShared[at + 2] = c62; aShared[at + 3] = c63;
                    aShared[at + 64] = c64; aShared[at + 65] = c65; aShared[at + 66] = c66; aShared[at + 67] = c67;
                } else if (threadRow == 7) {
                    aShared[at] = c70; aShared[at + 1] = c71; aShared[at + 2] = c72; aShared[at + 3] = c73;
                    aShared[at + 64] = c74; aShared[at + 65] = c75; aShared[at + 66] = c76; aShared[at + 67] = c77;
                }
                // spotless:on
                context.localBarrier();
                // A thread has eight outputs of a column, every eighth row; what is added to four of them is read together.
                for (int half = 0; half < 2; half++) {
                    int row0 = firstRow + threadRow / 4 * 64 + threadRow % 4 + thread / TILE * 4 + half * 32;
                    int read0 = rowAt(row0, m);
                    int read1 = rowAt(row0 + 8, m);
                    int read2 = rowAt(row0 + 16, m);
                    int read3 = rowAt(row0 + 24, m);
                    int at0 = outBase + read0 * n + outColumn;
                    int at1 = outBase + read1 * n + outColumn;
                    int at2 = outBase + read2 * n + outColumn;
                    int at3 = outBase + read3 * n + outColumn;
                    // spotless:off
                    float bias0 = Epilogue.bias(bias, biasBase, read0, outColumn, epilogue);
                    float bias1 = Epilogue.bias(bias, biasBase, read1, outColumn, epilogue);
                    float bias2 = Epilogue.bias(bias, biasBase, read2, outColumn, epilogue);
                    float bias3 = Epilogue.bias(bias, biasBase, read3, outColumn, epilogue);
                    float gate0 = Epilogue.gate(gate, read0, outColumn, epilogue, rowsPerPass, gateBase, gateStride);
                    float gate1 = Epilogue.gate(gate, read1, outColumn, epilogue, rowsPerPass, gateBase, gateStride);
                    float gate2 = Epilogue.gate(gate, read2, outColumn, epilogue, rowsPerPass, gateBase, gateStride);
                    float gate3 = Epilogue.gate(gate, read3, outColumn, epilogue, rowsPerPass, gateBase, gateStride);
                    float residual0 = Epilogue.residual(residual, at0, read0, outColumn, n, epilogue, rowsPerPass);
                    float residual1 = Epilogue.residual(residual, at1, read1, outColumn, n, epilogue, rowsPerPass);
                    float residual2 = Epilogue.residual(residual, at2, read2, outColumn, n, epilogue, rowsPerPass);
                    float residual3 = Epilogue.residual(residual, at3, read3, outColumn, n, epilogue, rowsPerPass);
                    // spotless:on
                    int i = thread + half * (4 * THREADS);
                    if (m % TILE == 0 && n % TILE == 0 || columnInside && row0 < m) {
                        out.set(at0, Epilogue.result(aShared[i], bias0, gate0, residual0, epilogue));
                    }
                    if (m % TILE == 0 && n % TILE == 0 || columnInside && row0 + 8 < m) {
                        out.set(at1, Epilogue.result(aShared[i + THREADS], bias1, gate1, residual1, epilogue));
                    }
                    if (m % TILE == 0 && n % TILE == 0 || columnInside && row0 + 16 < m) {
                        out.set(at2, Epilogue.result(aShared[i + 2 * THREADS], bias2, gate2, residual2, epilogue));
                    }
                    if (m % TILE == 0 && n % TILE == 0 || columnInside && row0 + 24 < m) {
                        out.set(at3, Epilogue.result(aShared[i + 3 * THREADS], bias3, gate3, residual3, epilogue));
                    }
                }
                context.localBarrier();
            }
        }
    }

    /** How many rows further to load for the row {@code more} rows on: a constant but at the edges. */
    static int rowsOn(int row, int more, int rows) {
        return rows % TILE == 0 ? more : Math.min(row + more, rows - 1) - Math.min(row, rows - 1);
    }

    /** The row to load for a row that may be past the end. */
    static int rowAt(int row, int rows) {
        return rows % TILE == 0 ? row : Math.min(row, rows - 1);
    }

    /** The float64 value of one element of matrix z of a stack, 0 for one. */
    public static double reference(LinearArguments arguments, int z, int row, int column) {
        ProductShape shape = arguments.shape();
        LinearArguments.After after = arguments.after();
        int layer = arguments.layer().get(0);
        int x = z * arguments.stack().xStride() + row * shape.k();
        int weight = z * arguments.stack().weightStride() + (layer * shape.n() + column) * shape.k();
        double sum = 0;
        for (int i = 0; i < shape.k(); i++) {
            sum += (double) arguments.x().get(x + i) * arguments.weight().get(weight + i);
        }
        return Epilogue.reference(
                arguments.bias(),
                layer * shape.n(),
                after.residual(),
                after.gate(),
                row,
                column,
                shape.n(),
                after.epilogue(),
                after.rowsPerPass(),
                (after.chunk() + LayerNorm.CHUNKS * layer) * shape.n(),
                after.chunks() * shape.n(),
                sum);
    }
}
