package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.GlobalMemory;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Where a value did not fit a half: an int for each layer and kind of tensor, zero until a kernel that packs the tensor sets
 * it. The host reads them after a step and stops with the layer's name.
 */
public final class Overflow {
    /** Input of attn.qkv. */
    public static final int NORM1 = 0;
    /** Output of attn.qkv. */
    public static final int QKV = 1;
    /** Input of attn.proj. */
    public static final int ATTENTION = 2;
    /** Input of mlp.fc1. */
    public static final int NORM2 = 3;
    /** Input of mlp.fc2. */
    public static final int FC1 = 4;
    /** Input of final_layer.linear, of layer 0. */
    public static final int FINAL = 5;
    /** Input of adaLN_modulation, of layer 0. */
    public static final int CONDITIONING = 6;
    /** How many. */
    public static final int KINDS = 7;

    private Overflow() {}

    /** Sets the flag if {@code largest}, see {@link Packed#largest}, is more than a half holds. */
    static void report(IntArray overflow, int layer, int kind, float largest) {
        if (!(largest <= Packed.LARGEST)) {
            GlobalMemory.store(overflow, layer * KINDS + kind, 1);
        }
    }

    /** PyTorch's name of the tensor. */
    public static String name(int layer, int kind) {
        String block = "blocks." + layer + ".";
        return switch (kind) {
            case NORM1 -> "the input of " + block + "attn.qkv";
            case QKV -> "the output of " + block + "attn.qkv";
            case ATTENTION -> "the input of " + block + "attn.proj";
            case NORM2 -> "the input of " + block + "mlp.fc1";
            case FC1 -> "the input of " + block + "mlp.fc2";
            case FINAL -> "the input of final_layer.linear";
            case CONDITIONING -> "the input of blocks.0.adaLN_modulation.1";
            default -> throw new IllegalArgumentException("no kind " + kind);
        };
    }
}
