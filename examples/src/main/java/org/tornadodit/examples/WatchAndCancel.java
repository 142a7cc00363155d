package org.tornadodit.examples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.CancellationException;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.Progress;
import org.tornadodit.pipeline.Request;
import org.tornadodit.pipeline.Sampling;

/** Shows how far a request is, writes a preview now and then, and gives up a second one. */
public final class WatchAndCancel {
    private WatchAndCancel() {}

    /** Arguments: the model's folder, the folder to write to, a number of steps. */
    public static void main(String[] args) throws IOException {
        Path model = Path.of(args[0]);
        Path folder = Path.of(args[1]);
        int steps = Integer.parseInt(args[2]);
        try (DitPipeline dit = DitPipeline.load(model.resolve("dit.pt"), model.resolve("vae"))
                .maxBatch(1)
                .starting(doing -> System.out.println("starting: " + doing))
                .open()) {
            System.out.println(dit.description());
            Request fox = Request.of(dit.labels("fox")).steps(steps).previewEvery(Math.max(1, steps / 4));
            for (Picture picture : dit.sample(fox, progress -> show(progress, folder))) {
                picture.write(folder.resolve("fox.png"));
            }

            Sampling running = dit.start(Request.of(dit.labels("panda")).steps(1000), progress -> {});
            running.cancel();
            try {
                running.pictures();
            } catch (CancellationException e) {
                System.out.println("the panda: " + e.getMessage());
            }
        }
    }

    /** A listener holds the engine up: what takes long belongs on another thread. */
    private static void show(Progress progress, Path folder) {
        System.out.println(progress);
        for (Picture preview : progress.previews()) {
            try {
                preview.write(folder.resolve("preview-%d.png".formatted(progress.step())));
            } catch (IOException e) {
                throw new UncheckedIOException(e); // ends the request
            }
        }
    }
}
