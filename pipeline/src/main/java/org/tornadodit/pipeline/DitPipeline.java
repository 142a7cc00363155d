package org.tornadodit.pipeline;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.tornadodit.model.Shape;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.pipeline.setup.SamplingFacts;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;

/**
 * A Diffusion Transformer that is loaded and ready: turns class labels into pictures, those that facebookresearch/DiT makes in
 * PyTorch of the same weights, labels and seed.
 *
 * <p>Any number of threads may use it. Their samples share passes of the model, up to {@link PipelineBuilder#maxBatch} of them,
 * whatever the steps, samplers, guidance and seeds of their requests: they join and leave between steps, first come, first
 * served. A request's pictures are the same bits as when it is alone. A listener that is far behind holds up its own request
 * only.
 *
 * <p>On the CPU Java needs {@code --add-modules=jdk.incubator.vector}; on GPUs the arguments of TornadoVM's SDK and of
 * tornado-ptx, see the README.
 */
public final class DitPipeline implements AutoCloseable {
    private final SharedEngine engine;
    private final RequestQueue queue;
    private final DitConfig config;
    private final ClassNames classes;
    private final String modelName;
    private final String reason;
    private final Rng rng;
    private final MatmulPrecision precision;
    private final int maxBatch;
    private final int decodedTogether;

    /** @param decodedTogether images in a call of the decoder, as the heap allows */
    DitPipeline(
            SharedEngine engine,
            RequestQueue queue,
            DitConfig config,
            ClassNames classes,
            String modelName,
            String reason,
            Rng rng,
            MatmulPrecision precision,
            int maxBatch,
            int decodedTogether) {
        this.engine = engine;
        this.queue = queue;
        this.config = config;
        this.classes = classes;
        this.modelName = modelName;
        this.reason = reason;
        this.rng = rng;
        this.precision = precision;
        this.maxBatch = maxBatch;
        this.decodedTogether = decodedTogether;
    }

    /**
     * Names a model to be opened. Its sizes are read from a config.json beside the weights, else from the weights' shapes.
     *
     * @param checkpoint the DiT's weights: {@code .pt}, {@code .safetensors}, or a diffusers folder
     * @param vae the AutoencoderKL's folder, with config.json and weights
     */
    public static PipelineBuilder load(Path checkpoint, Path vae) {
        return new PipelineBuilder(checkpoint, vae);
    }

    /**
     * The devices that TornadoVM sees, one a line, with the numbers that {@link PipelineBuilder#devices} takes; none without
     * TornadoVM.
     *
     * @throws PipelineException when TornadoVM does not start
     */
    public static List<String> devices() {
        if (!TornadoDevices.sdkIsPresent()) {
            return List.of();
        }
        try {
            return TornadoDevices.list().stream().map(ListedDevice::toString).toList();
        } catch (RuntimeException e) {
            throw PipelineException.of(e);
        }
    }

    /** Samples pictures. */
    public List<Picture> sample(Request request) {
        return sample(request, progress -> {});
    }

    /**
     * Samples pictures, and waits for them.
     *
     * @param listener told after each step; what it throws ends the request and comes out here
     * @return in the order of the labels, batch after batch
     * @throws IllegalArgumentException when the model has no such class
     * @throws CancellationException when the listener cancelled, this thread was interrupted, or the pipeline was closed; its
     *     places are free from the next step on
     * @throws QueueFullException when as many requests wait as may
     * @throws PipelineException when the request cannot be done
     */
    public List<Picture> sample(Request request, Consumer<Progress> listener) {
        return sample(request, listener, new AtomicBoolean());
    }

    private List<Picture> sample(Request request, Consumer<Progress> listener, AtomicBoolean cancelled) {
        requireClasses(request.labels());
        List<Picture> pictures = new ArrayList<>();
        Listening told = new Listening(listener);
        told.run(() -> {
            new RequestRun(this, engine, queue, request, told, cancelled)
                    .sample(latents -> pictures.addAll(telling(request, pictures.size(), decodeAll(latents))));
            return pictures;
        });
        return List.copyOf(pictures);
    }

    /** Begins to sample on a thread of its own; the handle cancels and waits. The listener is as {@link #sample} has it. */
    public Sampling start(Request request, Consumer<Progress> listener) {
        requireClasses(request.labels());
        return new Sampling(cancelled -> sample(request, listener, cancelled)).begin();
    }

    /**
     * Samples latents, without decoding them.
     *
     * @return of all pictures, batch after batch (N, C, H, W)
     * @throws RuntimeException as {@link #sample}
     */
    public Latents latents(Request request, Consumer<Progress> listener) {
        requireClasses(request.labels());
        List<Latents> parts = new ArrayList<>();
        Listening told = new Listening(listener);
        return told.run(() -> {
            new RequestRun(this, engine, queue, request, told, new AtomicBoolean()).sample(parts::add);
            return RequestRun.joined(parts, this);
        });
    }

    /**
     * Decodes latents, any number of them.
     *
     * @throws IllegalArgumentException when they are not of this model's shape
     * @throws PipelineException when it cannot be done
     */
    public List<Picture> decode(Latents latents) {
        Shape expected = shape(latents.samples());
        if (!latents.shape().equals(expected)) {
            throw new IllegalArgumentException(
                    "latents of shape %s, the model's are %s".formatted(latents.shape(), expected));
        }
        return new Listening(progress -> {}).run(() -> engine.use(() -> decodeAll(latents)));
    }

    /**
     * The pictures of a batch, telling what made them.
     *
     * @param before pictures of the request before the batch
     */
    private List<Picture> telling(Request request, int before, List<Picture> batch) {
        SamplingRequest sampled =
                request.batch(batch.stream().map(Picture::label).toList(), config.objective());
        SamplingFacts sampling = new SamplingFacts(
                modelName,
                config,
                sampled,
                request.steps(),
                request.solver(),
                request.flow(),
                request.seed(),
                rng,
                precision);
        Map<String, String> facts = sampling.facts(engine.fingerprints());
        // All batches are of one size, but for those of fewer labels behind each largest ones.
        boolean uniform =
                request.labels().size() <= maxBatch || request.labels().size() % maxBatch == 0;
        if (before > 0) {
            facts.put(
                    uniform ? "skip-batches" : PictureFacts.UNLIKE,
                    uniform ? String.valueOf(before / batch.size()) : "after %d pictures".formatted(before));
        }
        List<Picture> telling = new ArrayList<>();
        for (Picture picture : batch) {
            Map<String, String> own = new LinkedHashMap<>(facts);
            own.put("picture", String.valueOf(telling.size()));
            telling.add(picture.with(
                    new PictureFacts(SamplingFacts.version(), sampling.description(picture.className()), own)));
        }
        return telling;
    }

    /** Within the engine's use. */
    List<Picture> decodeAll(Latents latents) {
        int elements = config.inputElements();
        int size = config.imageSize();
        int most = Math.min(decodedTogether, maxBatch);
        List<Picture> pictures = new ArrayList<>();
        for (int first = 0; first < latents.samples(); first += most) {
            int from = first;
            int count = Math.min(most, latents.samples() - first);
            float[] part = Arrays.copyOfRange(latents.values(), first * elements, (first + count) * elements);
            pictures.addAll(engine.decode(decoder -> {
                float[] images = decoder.decode(part, count);
                List<Picture> some = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    int label = latents.labels().get(from + i);
                    some.add(Picture.of(images, i, size, label, classes.name(label)));
                }
                return some;
            }));
        }
        return pictures;
    }

    Latents latents(float[] values, List<Integer> labels) {
        return new Latents(values, shape(labels.size()), labels);
    }

    private Shape shape(int samples) {
        return Shape.of(samples, config.inChannels(), config.inputSize(), config.inputSize());
    }

    private void requireClasses(List<Integer> labels) {
        for (int label : labels) {
            if (label < 0 || label >= config.numClasses()) {
                throw new IllegalArgumentException("class label %d is out of range, the model has classes 0 to %d"
                        .formatted(label, config.numClasses() - 1));
            }
        }
    }

    /**
     * Classes by name or number, for {@link Request#of}.
     *
     * @throws IllegalArgumentException when the model has no such class
     */
    public int[] labels(String... names) {
        return Arrays.stream(names)
                .mapToInt(name -> classes.parse(name, config.numClasses()))
                .toArray();
    }

    /** Names of the classes, where they are known. */
    public ClassNames classes() {
        return classes;
    }

    /** The model's sizes. */
    public DitConfig config() {
        return config;
    }

    /** Samples of a largest batch. */
    public int maxBatch() {
        return maxBatch;
    }

    /** Requests that wait: none of their samples has a place in the pass yet. */
    public int waiting() {
        return queue.waiting();
    }

    /** Requests that are at work. */
    public int running() {
        return queue.running();
    }

    Rng rng() {
        return rng;
    }

    /** The engine in words: devices, kernels, why these. */
    public String description() {
        return engine.description() + " (" + reason + ")";
    }

    /**
     * Ends requests that are at work, after their step, with a {@link CancellationException}, and those that wait; releases
     * the devices' memory and the files. Closing twice does nothing.
     *
     * @throws IllegalStateException when a listener asks, whose request would be waited for
     */
    @Override
    public void close() {
        engine.close();
    }
}
