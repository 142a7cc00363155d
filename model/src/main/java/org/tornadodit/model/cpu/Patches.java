package org.tornadodit.model.cpu;

import org.tornadodit.model.dit.DitConfig;

/** From pictures to tokens and back. */
final class Patches {

    private final DitConfig config;

    Patches(DitConfig config) {
        this.config = config;
    }

    /**
     * Each patch of {@code n} images as a row, in the order of the patch embedding's weight.
     *
     * @param x (all, C, H, W), of which images {@code first} and on are read
     * @param rows (N, T, C P P)
     */
    void gather(float[] x, int first, int n, float[] rows) {
        int p = config.patchSize();
        int side = config.inputSize();
        int to = 0;
        for (int image = first; image < first + n; image++) {
            for (int token = 0; token < config.tokens(); token++) {
                int top = token / config.gridSize() * p;
                int left = token % config.gridSize() * p;
                for (int c = 0; c < config.inChannels(); c++) {
                    for (int y = 0; y < p; y++) {
                        int from = image * config.inputElements() + (c * side + top + y) * side + left;
                        System.arraycopy(x, from, rows, to, p);
                        to += p;
                    }
                }
            }
        }
    }

    /**
     * The inverse for the final layer's rows, whose channels are innermost ({@code unpatchify}).
     *
     * @param rows (N, T, P P outChannels)
     * @param out (all, outChannels, H, W), of which images {@code first} and on are written
     */
    void scatter(float[] rows, int n, float[] out, int first) {
        int p = config.patchSize();
        int side = config.inputSize();
        int from = 0;
        for (int image = first; image < first + n; image++) {
            for (int token = 0; token < config.tokens(); token++) {
                int top = token / config.gridSize() * p;
                int left = token % config.gridSize() * p;
                for (int y = 0; y < p; y++) {
                    for (int x = 0; x < p; x++) {
                        int to = image * config.outputElements() + (top + y) * side + left + x;
                        for (int c = 0; c < config.outChannels(); c++) {
                            out[to + c * side * side] = rows[from++];
                        }
                    }
                }
            }
        }
    }
}
