package org.tornadodit.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.Latents;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.Request;

/** Decodes the mean of two samples' latents: what lies between a fox and a panda for the autoencoder. */
public final class BetweenLatents {
    private BetweenLatents() {}

    /** Arguments: the model's folder, the folder to write to, a number of steps. */
    public static void main(String[] args) throws IOException {
        Path model = Path.of(args[0]);
        Path folder = Path.of(args[1]);
        try (DitPipeline dit = DitPipeline.load(model.resolve("dit.pt"), model.resolve("vae"))
                .maxBatch(2)
                .open()) {
            Request request = Request.of(dit.labels("fox", "panda")).steps(args[2]);
            Latents both = dit.latents(request, progress -> {}); // (2, C, H, W)
            both.write(folder.resolve("latents.npy"));
            float[] between = new float[both.values().length / 2];
            for (int i = 0; i < between.length; i++) {
                between[i] = (both.values()[i] + both.values()[between.length + i]) / 2;
            }
            Latents mean = both.withSamples(between, List.of(both.labels().getFirst()));
            for (Picture picture : dit.decode(mean)) {
                picture.write(folder.resolve("between.png"));
            }
        }
    }
}
