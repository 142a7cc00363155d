package org.tornadodit.examples;

import java.io.IOException;
import java.nio.file.Path;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.Request;

/** A fox and a panda, each in a file of its own. */
public final class TenLines {
    private TenLines() {}

    /** Arguments: the model's folder, the folder to write to. */
    public static void main(String[] args) throws IOException {
        sample(Path.of(args[0]), Path.of(args[1]));
    }

    private static void sample(Path model, Path folder) throws IOException {
        // spotless:off: as the README has it
        try (DitPipeline dit = DitPipeline.load(model.resolve("dit.pt"), model.resolve("vae")).maxBatch(8).open()) {
            Request request = Request.of(dit.labels("fox", "panda")).steps(50).guidance(4).seed(0);
            for (Picture picture : dit.sample(request, System.out::println)) {
                picture.write(folder.resolve(picture.className() + ".png"));
            }
        }
        // spotless:on
    }
}
