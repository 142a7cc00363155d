package org.tornadodit.kernels.ptx;

/** Exchange among the 32 lanes of a warp, and barriers of some of a block's warps. All lanes take part. */
public final class Warp {

    private Warp() {}

    /** The value of the lane whose number differs in the bits of {@code mask}, a constant. */
    @Instruction("shfl.sync.bfly.b32 $r, $0, $1, 31, 0xffffffff;")
    public static float shuffleXor(float value, int mask) {
        throw new UnsupportedOperationException();
    }

    /** Waits until {@code threads} threads, whole warps, have come to barrier {@code id}, 1 to 15; both constant. */
    @Instruction("bar.sync $0, $1;")
    public static void barrier(int id, int threads) {
        throw new UnsupportedOperationException();
    }
}
