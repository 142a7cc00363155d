package org.tornadodit.kernels;

import java.util.List;

/** How a device's tensor cores are used: which kernels, and how their work is cut. */
public sealed interface TensorCores {

    /** Of the device. */
    int multiprocessors();

    /** Of kernels, in names of operations. */
    String prefix();

    /** Ways to run a linear layer, (m, k) and (n, k); the default first, and all with the same bits. */
    List<Variant> linear(int m, int n, int k, int planes);

    /** The tile of such a variant. */
    ProductTile tile(Variant variant);

    /** Cycles of (m, k) x (n, k) with a tile that may be another shape's, to be compared with each other. */
    double cycles(int planes, int m, int n, int k, ProductTile tile);

    /**
     * Ways to run attention; the default first, and all with the same bits.
     *
     * @param heads of all passes
     */
    List<Variant> attention(int heads, int headSize, int planes, int tokens);

    /** The cut of such a variant. */
    AttentionTiling tiling(Variant variant);

    /** How the decoder convolves. */
    ConvolutionTile convolution();

    /** What a variant of a linear layer is chosen for. */
    default OperationShape linearOperation(int m, int n, int k, int epilogue, int planes) {
        return OperationShape.of(prefix() + "Linear, " + Epilogue.name(epilogue) + planes(planes), m, n, k);
    }

    /** What a variant of attention is chosen for. */
    OperationShape attentionOperation(int samples, int tokens, int heads, int headSize, int planes);

    private static String planes(int planes) {
        return planes == Packed.MIXED ? ", mixed" : planes == 2 ? ", split" : "";
    }

    /**
     * Hopper's, by instructions of a warpgroup (wgmma).
     *
     * @param multiprocessors of the device
     */
    record Warpgroups(int multiprocessors) implements TensorCores {
        @Override
        public String prefix() {
            return "tensor";
        }

        @Override
        public List<Variant> linear(int m, int n, int k, int planes) {
            return TensorVariants.linear(m, n, k, planes, multiprocessors);
        }

        @Override
        public ProductTile tile(Variant variant) {
            return TensorVariants.tile(variant);
        }

        @Override
        public double cycles(int planes, int m, int n, int k, ProductTile tile) {
            return TensorLinear.cycles(planes, m, n, k, (TensorLinear.Tile) tile, multiprocessors);
        }

        @Override
        public List<Variant> attention(int heads, int headSize, int planes, int tokens) {
            return TensorVariants.attention(heads, headSize, planes, tokens, multiprocessors);
        }

        @Override
        public AttentionTiling tiling(Variant variant) {
            return TensorVariants.attentionTiling(variant);
        }

        @Override
        public ConvolutionTile convolution() {
            return new TensorConv2d.Tile();
        }

        @Override
        public OperationShape attentionOperation(int samples, int tokens, int heads, int headSize, int planes) {
            return OperationShape.of(
                    "warpgroupAttention" + TensorCores.planes(planes), samples, tokens, heads, headSize);
        }
    }

    /**
     * Any generation's, by instructions of a warp (mma.sync).
     *
     * @param form of the instructions
     * @param multiprocessors of the device
     * @param sharedBytes shared memory that a work group can have
     */
    record Warps(MmaForm form, int multiprocessors, int sharedBytes) implements TensorCores {
        private static final int KB = 1024;
        /** Of a multiprocessor for each work group, besides its own. */
        private static final int RESERVED = 1024;

        /**
         * Of a compute capability from 7.0 on.
         *
         * @param form not the capability's own where another one is tested
         */
        public static Warps of(MmaForm form, int multiprocessors, int major, int minor) {
            return new Warps(form, multiprocessors, sharedBytes(form, major, minor));
        }

        /** CUDA programming guide, table of technical specifications by compute capability. */
        private static int sharedBytes(MmaForm form, int major, int minor) {
            int own = switch (major * 10 + minor) {
                case 70, 72 -> 96;
                case 75 -> 64;
                case 80, 87 -> 163;
                case 90, 100, 101, 103 -> 227;
                default -> 99;
            };
            // Another generation's form also has its shared memory.
            int ofForm = form == MmaForm.VOLTA ? 96 : form == MmaForm.TURING ? 64 : own;
            return Math.min(own, ofForm) * KB;
        }

        /** Shared memory that each of some work groups of a multiprocessor can have. */
        int sharedBytes(int together) {
            return (sharedBytes + RESERVED) / together - RESERVED;
        }

        @Override
        public String prefix() {
            return "mma";
        }

        @Override
        public List<Variant> linear(int m, int n, int k, int planes) {
            return MmaVariants.linear(m, n, k, planes, this);
        }

        @Override
        public ProductTile tile(Variant variant) {
            return MmaVariants.tile(variant, form);
        }

        @Override
        public double cycles(int planes, int m, int n, int k, ProductTile tile) {
            return MmaLinear.cycles(planes, m, n, k, (MmaLinear.Tile) tile, multiprocessors);
        }

        @Override
        public List<Variant> attention(int heads, int headSize, int planes, int tokens) {
            return MmaVariants.attention(headSize, planes, this);
        }

        @Override
        public AttentionTiling tiling(Variant variant) {
            return MmaVariants.tiling(variant, form);
        }

        @Override
        public ConvolutionTile convolution() {
            return new MmaConv2d.Tile(form);
        }

        @Override
        public OperationShape attentionOperation(int samples, int tokens, int heads, int headSize, int planes) {
            return OperationShape.of("mmaAttention" + TensorCores.planes(planes), samples, tokens, heads, headSize);
        }
    }
}
