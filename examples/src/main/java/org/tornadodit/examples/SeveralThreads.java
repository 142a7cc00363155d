package org.tornadodit.examples;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.Request;

/** Several threads ask one pipeline: the requests share passes, and get the pictures that each gets alone. */
public final class SeveralThreads {
    private SeveralThreads() {}

    /** Arguments: the model's folder, a number of steps. */
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        Path model = Path.of(args[0]);
        int steps = Integer.parseInt(args[1]);
        try (DitPipeline dit = DitPipeline.load(model.resolve("dit.pt"), model.resolve("vae"))
                        .maxBatch(2)
                        .open();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<List<Picture>>> running = new ArrayList<>();
            for (int seed = 0; seed < 3; seed++) {
                Request request = Request.of(3, 7).steps(steps).seed(seed);
                running.add(threads.submit(() -> dit.sample(request)));
            }
            byte[] alone =
                    dit.sample(Request.of(3, 7).steps(steps).seed(1)).getFirst().rgb();
            byte[] together = running.get(1).get().getFirst().rgb();
            System.out.println("the same bits: " + Arrays.equals(alone, together));
        }
    }
}
