package org.tornadodit.model;

/**
 * The parameters of a linear layer or a convolution, {@code y = x W^T + b}.
 *
 * @param weight (out, in), or (out, in, height, width) of a convolution
 * @param bias (out)
 */
public record Linear(Tensor weight, Tensor bias) {

    /** @throws IllegalArgumentException when there is not one bias for each row of the weight */
    public Linear {
        if (bias.shape().rank() != 1 || bias.shape().dim(0) != weight.shape().dim(0)) {
            throw new IllegalArgumentException(
                    "%s %s does not fit %s %s".formatted(bias.name(), bias.shape(), weight.name(), weight.shape()));
        }
    }

    /** Number of outputs. */
    public int out() {
        return Math.toIntExact(weight.shape().dim(0));
    }

    /** Number of inputs of one output: all of the weight's dimensions but the first. */
    public int in() {
        return Math.toIntExact(weight.shape().elements() / weight.shape().dim(0));
    }
}
