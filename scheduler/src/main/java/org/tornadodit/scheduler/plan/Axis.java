package org.tornadodit.scheduler.plan;

import java.util.Optional;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.plan.Mesh.Grain;

/** Along what a run is divided, from what is furthest apart among the devices to what is closest. */
public enum Axis {
    /** Each crew has samples of its own; nothing is exchanged. */
    SAMPLES("samples", "--data-parallel-degree", Exactness.SAME_BITS) {
        @Override
        Optional<String> refusal(Mesh mesh, DitConfig config, boolean guided, Grain grain) {
            return Optional.empty();
        }
    },

    /** One rank predicts for the class, the other for the null class; predictions are exchanged once a step. */
    HALVES("halves", "--use-cfg-parallel", Exactness.SAME_BITS) {
        @Override
        Optional<String> refusal(Mesh mesh, DitConfig config, boolean guided, Grain grain) {
            if (mesh.halves() > 2) {
                return Optional.of("guidance has two halves, not " + mesh.halves());
            }
            return guided
                    ? Optional.empty()
                    : Optional.of("halves of guidance, and the samples are not guided (--cfg-scale 1)");
        }

        @Override
        String option(int degree) {
            return option();
        }
    },

    /**
     * GPipe (Y. Huang et al., arXiv 1811.06965): a rank has some of the blocks and their weights alone; hidden states go from
     * stage to stage, of one micro-batch after the other, so that stages work at once.
     */
    STAGES("stages", "--pipeline-parallel-degree", Exactness.SAME_BITS) {
        @Override
        Optional<String> refusal(Mesh mesh, DitConfig config, boolean guided, Grain grain) {
            return mesh.stages() <= config.depth()
                    ? Optional.empty()
                    : Optional.of("%d blocks in %d stages".formatted(config.depth(), mesh.stages()));
        }
    },

    /**
     * Ring attention (H. Liu et al., arXiv 2310.01889): a rank has some of the tokens, and in attention their queries; keys and
     * values of all come to it, once a block and all at once, so that sums along the keys are as on one device. With heads: the
     * unified sequence parallelism of J. Fang and S. Zhao, arXiv 2405.07719.
     */
    RING("ring", "--ring-degree", Exactness.SAME_BITS) {
        @Override
        Optional<String> refusal(Mesh mesh, DitConfig config, boolean guided, Grain grain) {
            return refusalOfAttention(mesh, config, grain);
        }
    },

    /**
     * Ulysses (S. A. Jacobs et al., arXiv 2309.14509): a rank has some of the tokens, and in attention all tokens of some heads;
     * exchanged twice a block.
     */
    HEADS("heads", "--ulysses-degree", Exactness.SAME_BITS) {
        @Override
        Optional<String> refusal(Mesh mesh, DitConfig config, boolean guided, Grain grain) {
            return refusalOfAttention(mesh, config, grain);
        }
    },

    /**
     * Megatron (M. Shoeybi et al., arXiv 1909.08053), what lies between products divided by tokens (V. Korthikanti et al., arXiv
     * 2205.05198): a rank has some outputs of qkv, by heads, and of fc1, and the inputs of proj and fc2 that come of them.
     * Normed tokens are gathered before, and partial sums added up behind, twice a block each.
     */
    TENSOR("tensor", "--tensor-parallel-degree", Exactness.FP32_FAITHFUL) {
        @Override
        Optional<String> refusal(Mesh mesh, DitConfig config, boolean guided, Grain grain) {
            int features = config.mlpHidden() / mesh.tensor();
            if (config.mlpHidden() % mesh.tensor() != 0 || features % grain.columns() != 0) {
                return Optional.of("%d features of the MLP in %d parts: these kernels take multiples of %d"
                        .formatted(config.mlpHidden(), mesh.tensor(), grain.columns()));
            }
            return refusalOfAttention(mesh, config, grain);
        }
    };

    /** How close the picture is to that of one device, from the closest. */
    public enum Exactness {
        /** To the bit. */
        SAME_BITS("same"),
        /** As close to PyTorch's in FP32 as that of one device, and the same in each run. */
        FP32_FAITHFUL("FP32"),
        /** Another picture, of like quality. */
        APPROXIMATE("approximate");

        private final String word;

        Exactness(String word) {
            this.word = word;
        }

        /** For tables. */
        public String word() {
            return word;
        }
    }

    private final String word;
    private final String option;
    private final Exactness exactness;

    Axis(String word, String option, Exactness exactness) {
        this.word = word;
        this.option = option;
        this.exactness = exactness;
    }

    /** What it is called in refusals. */
    public String word() {
        return word;
    }

    /** The command line's. */
    public String option() {
        return option;
    }

    /** The option with its value. */
    String option(int degree) {
        return option + " " + degree;
    }

    public Exactness exactness() {
        return exactness;
    }

    /** Heads and tokens, along all axes that divide them. */
    private static Optional<String> refusalOfAttention(Mesh mesh, DitConfig config, Grain grain) {
        int heads = mesh.partsOf(HEADS, TENSOR);
        if (config.numHeads() % heads != 0) {
            return Optional.of("%d heads in %d parts".formatted(config.numHeads(), heads));
        }
        int tokens = mesh.partsOf(RING, HEADS, TENSOR);
        if (config.tokens() % tokens != 0 || config.tokens() / tokens % grain.tokens() != 0) {
            return Optional.of("%d tokens in %d parts: these kernels take multiples of %d"
                    .formatted(config.tokens(), tokens, grain.tokens()));
        }
        int columns = config.hiddenSize() / heads;
        if (columns % grain.columns() != 0) {
            return Optional.of("%d heads of %d are %d columns: these kernels take multiples of %d"
                    .formatted(config.numHeads() / heads, config.headSize(), columns, grain.columns()));
        }
        return Optional.empty();
    }

    /** Why a model cannot be divided like this along the axis, of which there is more than one part. */
    abstract Optional<String> refusal(Mesh mesh, DitConfig config, boolean guided, Grain grain);
}
