package org.tornadodit.kernels;

import java.util.Optional;

/** What the tensor cores of a generation do at a time for a warp, and how operands come to them. */
public enum MmaForm {
    /** m16n8k16; copies past the registers (cp.async): capability 8.0 and later. */
    AMPERE(16, MmaTile.AMPERE),
    /** m16n8k8: capability 7.5. */
    TURING(8, MmaTile.TURING),
    /** m8n8k4, without ldmatrix: capability 7.0 and 7.2. */
    VOLTA(4, MmaTile.VOLTA);

    private final int depth;
    private final int code;

    MmaForm(int depth, int code) {
        this.depth = depth;
        this.code = code;
    }

    /** k of an instruction. */
    public int depth() {
        return depth;
    }

    /** As kernels take it, a constant. */
    int code() {
        return code;
    }

    /** That of a compute capability; empty where it has none. */
    public static Optional<MmaForm> of(int major, int minor) {
        if (major >= 8) {
            return Optional.of(AMPERE);
        }
        if (major < 7) {
            return Optional.empty();
        }
        return Optional.of(minor >= 5 ? TURING : VOLTA);
    }
}
