package org.tornadodit.runner.option;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Pictures between two. */
public final class InterpolationOptions {
    @Option(
            names = "--interpolate",
            paramLabel = "N",
            description =
                    "N pictures in a row, from one of two --class-labels to the other, or from --seed to --to-seed, or"
                            + " both; with a sampler without noise in its steps: ddim, dpm++ or unipc; euler, heun or"
                            + " dopri5 of SiT and REPA")
    public @Nullable Integer pictures;

    @Option(
            names = "--to-seed",
            paramLabel = "SEED",
            description =
                    "Seed of the noise that the last picture of --interpolate starts from; all start from --seed's"
                            + " without")
    public @Nullable String toSeed;
}
