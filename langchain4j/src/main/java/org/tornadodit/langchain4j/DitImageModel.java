package org.tornadodit.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.Response;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.PipelineException;
import org.tornadodit.pipeline.QueueFullException;
import org.tornadodit.pipeline.Request;

/**
 * LangChain4j's image model on a pipeline of this process. A prompt is the name or number of one of the model's classes, such as
 * {@code "golden retriever"}, whose name comes back as the revised prompt.
 *
 * <p>The images are PNG files in Base64 and say what made them; the response's metadata has their {@code seed}, {@code steps},
 * {@code guidance} and {@code sampler}. The pipeline stays the application's, which closes it. Any number of threads may ask.
 *
 * <p>What goes wrong is LangChain4j's: {@link InvalidRequestException} when the model has no such class, with the nearest names;
 * {@link RateLimitException} when as many requests wait as may; {@link InternalServerException} when a device or memory fails. A
 * thread that is interrupted gets a {@link CancellationException}.
 */
public final class DitImageModel implements ImageModel {
    /** Seeds that are drawn stay within what JSON's numbers hold. */
    private static final long DRAWN_SEEDS = 1L << 32;

    /** Images of a call, all of which are in memory when it returns. */
    private static final int MOST = 1024;

    private final DitPipeline pipeline;
    private final Request defaults;
    private final @Nullable Long seed;

    private DitImageModel(DitPipeline pipeline, Request defaults, @Nullable Long seed) {
        this.pipeline = pipeline;
        this.defaults = defaults;
        this.seed = seed;
    }

    /** @param pipeline that samples */
    public static Builder builder(DitPipeline pipeline) {
        return new Builder(pipeline);
    }

    /** How a model samples; by default as its publishers do, with another seed for each call. */
    public static final class Builder {
        private final DitPipeline pipeline;
        private Request request;
        private @Nullable Long seed;

        private Builder(DitPipeline pipeline) {
            this.pipeline = pipeline;
            request = Request.of(pipeline.config().objective(), 0);
        }

        /**
         * Denoising steps.
         *
         * @throws IllegalArgumentException when the sampler takes no such number
         */
        public Builder steps(int steps) {
            request = request.steps(steps);
            return this;
        }

        /**
         * Weight of classifier-free guidance; 1 for none.
         *
         * @throws IllegalArgumentException when it is negative
         */
        public Builder guidance(double guidance) {
            request = request.guidance(guidance);
            return this;
        }

        /**
         * The sampler.
         *
         * @throws IllegalArgumentException when it does not suit the model
         */
        public Builder sampler(SamplingMethod sampler) {
            pipeline.config().objective().requireSuits(sampler);
            request = request.sampler(sampler);
            return this;
        }

        /** @param seed of each call, which then returns the same pictures of the same prompt */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** The model. Nothing is sampled yet. */
        public DitImageModel build() {
            return new DitImageModel(pipeline, request, seed);
        }
    }

    @Override
    public Response<Image> generate(String prompt) {
        Response<List<Image>> one = generate(prompt, 1);
        return Response.from(one.content().getFirst(), one.tokenUsage(), one.finishReason(), one.metadata());
    }

    /** So many pictures of a class, 1 to 1024, which are one batch of PyTorch's with the seed. */
    @Override
    public Response<List<Image>> generate(String prompt, int n) {
        long drawn = seed != null ? seed : ThreadLocalRandom.current().nextLong(DRAWN_SEEDS);
        Request request = request(prompt, n, drawn);
        List<Picture> pictures;
        try {
            pictures = pipeline.sample(request);
        } catch (QueueFullException e) {
            throw new RateLimitException(e.getMessage(), e);
        } catch (PipelineException e) {
            throw new InternalServerException(e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new InvalidRequestException(e.getMessage(), e);
        }
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("seed", request.seed());
        metadata.put("steps", request.steps());
        metadata.put("guidance", request.guidance());
        metadata.put("sampler", request.sampler().option());
        return Response.from(pictures.stream().map(DitImageModel::image).toList(), null, null, metadata);
    }

    private Request request(String prompt, int n, long drawn) {
        if (n < 1 || n > MOST) {
            throw new InvalidRequestException("%d images, expected 1 to %d".formatted(n, MOST));
        }
        try {
            int[] labels = new int[n];
            Arrays.fill(labels, pipeline.labels(prompt)[0]);
            return Request.of(pipeline.config().objective(), labels)
                    .steps(defaults.steps())
                    .guidance(defaults.guidance())
                    .sampler(defaults.sampler())
                    .seed(drawn);
        } catch (IllegalArgumentException e) {
            throw new InvalidRequestException(e.getMessage(), e);
        }
    }

    private static Image image(Picture picture) {
        return Image.builder()
                .base64Data(Base64.getEncoder().encodeToString(picture.png()))
                .mimeType("image/png")
                .revisedPrompt(picture.className())
                .build();
    }
}
