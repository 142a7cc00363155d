package org.tornadodit.serve.api;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.metrics.PictureFormat;
import org.tornadodit.pipeline.Request;

/**
 * What {@code POST /v1/images/generations} asks for: OpenAI's fields, and those of samplers.
 *
 * @param request as the pipeline takes it
 * @param steps of each picture
 * @param sampler that is taken
 * @param stream whether events are wanted instead of one answer
 * @param format of the pictures in the answer
 */
public record GenerationBody(Request request, int steps, SamplingMethod sampler, boolean stream, PictureFormat format) {
    /** Of OpenAI's API, without a meaning for this model. */
    private static final Set<String> NOT_READ =
            Set.of("user", "quality", "style", "background", "moderation", "output_compression", "partial_images");

    private static final Set<String> READ = Set.of(
            "model",
            "prompt",
            "n",
            "size",
            "response_format",
            "output_format",
            "seed",
            "num_inference_steps",
            "guidance_scale",
            "sampler",
            "class_labels",
            "stream",
            "preview_every");

    /** A seed that is drawn is one that a browser's numbers hold. */
    private static final long DRAWN_SEEDS = 1L << 32;

    /** Previews of a stream that asks for none or others. */
    private static final int PREVIEWS = 10;

    /** All fields' names. */
    public static Set<String> fields() {
        return Stream.of(READ, NOT_READ).flatMap(Set::stream).collect(Collectors.toUnmodifiableSet());
    }

    /** @throws Refusal which names the field that is wrong */
    public static GenerationBody parse(byte[] body, ServedModel model) {
        JsonFields fields = new JsonFields(Json.object(body));
        fields.requireKnown(fields());
        String name = fields.string("model");
        if (name != null) {
            model.requireName(name);
        }
        String response = fields.string("response_format");
        if (response != null && !response.equals("b64_json")) {
            throw Refusal.of(
                    "response_format",
                    "unsupported",
                    "response_format is \"%s\", expected \"b64_json\": pictures are in the answer"
                            .formatted(shown(response)));
        }
        PictureFormat format = format(fields.string("output_format"));
        String size = fields.string("size");
        if (size != null && !size.equals("auto") && !size.equals(model.size())) {
            throw Refusal.of(
                    "size",
                    "unsupported",
                    "size is \"%s\", the model's pictures are \"%s\"".formatted(shown(size), model.size()));
        }
        int[] labels = labels(fields, model);
        SamplingMethod sampler = sampler(fields.string("sampler"), model);
        Long typedSteps = fields.whole("num_inference_steps", 1, ServedModel.MOST_STEPS);
        int steps =
                typedSteps == null ? Integer.parseInt(model.objective().defaultSteps()) : Math.toIntExact(typedSteps);
        try {
            model.objective().sampler(sampler, String.valueOf(steps), 0);
        } catch (IllegalArgumentException e) {
            throw Refusal.unprocessable("num_inference_steps", "out_of_range", String.valueOf(e.getMessage()));
        }
        boolean stream = fields.bool("stream");
        Long typedPreviews = fields.whole("preview_every", 0, ServedModel.MOST_STEPS);
        if (typedPreviews != null && !stream) {
            throw Refusal.of(
                    "preview_every",
                    "unsupported",
                    "preview_every has no effect without \"stream\": true; leave it out, or ask for a stream");
        }
        long previews = typedPreviews != null ? typedPreviews : Math.max(1, steps / PREVIEWS);
        Long seed = fields.whole("seed", Long.MIN_VALUE, Long.MAX_VALUE);
        Double guidance = fields.number("guidance_scale");
        if (guidance != null && guidance < 0) {
            throw Refusal.of(
                    "guidance_scale",
                    "out_of_range",
                    "guidance_scale is %s, expected a number of at least 0".formatted(guidance));
        }
        Request request = Request.of(model.objective(), labels)
                .sampler(sampler)
                .steps(steps)
                .seed(seed != null ? seed : ThreadLocalRandom.current().nextLong(DRAWN_SEEDS))
                .previewEvery(stream ? Math.toIntExact(previews) : 0);
        return new GenerationBody(
                guidance != null ? request.guidance(guidance) : request, steps, sampler, stream, format);
    }

    private static PictureFormat format(@Nullable String name) {
        PictureFormat format = name == null
                ? PictureFormat.PNG
                : PictureFormat.named(name)
                        .orElseThrow(() -> Refusal.of(
                                "output_format",
                                "unsupported",
                                "output_format is \"%s\", expected %s"
                                        .formatted(shown(name), PictureFormat.options())));
        try {
            format.requireWritable();
        } catch (IOException e) {
            throw Refusal.unprocessable("output_format", "unsupported", String.valueOf(e.getMessage()));
        }
        return format;
    }

    private static String shown(String text) {
        return text.length() > 60 ? text.substring(0, 60) + "..." : text;
    }

    private static SamplingMethod sampler(@Nullable String name, ServedModel model) {
        List<SamplingMethod> suitable = model.objective().samplers();
        if (name == null) {
            return suitable.getFirst();
        }
        SamplingMethod sampler = SamplingMethod.named(name)
                .orElseThrow(() -> Refusal.of(
                        "sampler",
                        "out_of_range",
                        "sampler is \"%s\", expected one of %s"
                                .formatted(
                                        shown(name),
                                        suitable.stream()
                                                .map(SamplingMethod::option)
                                                .collect(Collectors.joining(", ")))));
        try {
            model.objective().requireSuits(sampler);
        } catch (IllegalArgumentException e) {
            throw Refusal.unprocessable("sampler", "unsupported", String.valueOf(e.getMessage()));
        }
        return sampler;
    }

    /** The class of each picture: n of each class that is named. */
    private static int[] labels(JsonFields fields, ServedModel model) {
        Long n = fields.whole("n", 1, model.maxPictures());
        String prompt = fields.string("prompt");
        JsonElement typed = fields.element("class_labels");
        List<Integer> classes = new ArrayList<>();
        if (typed instanceof JsonArray list) {
            if (list.isEmpty()) {
                throw Refusal.of("class_labels", "out_of_range", "class_labels is empty, expected numbers or names");
            }
            if (list.size() > model.maxPictures()) {
                throw tooMany("class_labels", list.size(), model);
            }
            list.forEach(each -> classes.add(label(each, model)));
        } else if (typed != null) {
            classes.add(label(typed, model));
        } else if (prompt != null) {
            classes.add(named("prompt", prompt, model));
        } else {
            throw Refusal.of("prompt", "missing", "prompt is missing: the name of a class, or class_labels");
        }
        long pictures = classes.size() * (n == null ? 1 : n);
        if (pictures > model.maxPictures()) {
            throw tooMany("n", pictures, model);
        }
        return classes.stream()
                .flatMapToInt(label -> Collections.nCopies(n == null ? 1 : Math.toIntExact(n), label).stream()
                        .mapToInt(each -> each))
                .toArray();
    }

    private static Refusal tooMany(String param, long pictures, ServedModel model) {
        return Refusal.of(
                param,
                "out_of_range",
                "%d pictures are asked for, a request may have %d".formatted(pictures, model.maxPictures()));
    }

    private static int label(JsonElement each, ServedModel model) {
        if (each.isJsonPrimitive() && each.getAsJsonPrimitive().isString()) {
            return named("class_labels", each.getAsString(), model);
        }
        if (!each.isJsonPrimitive() || !each.getAsJsonPrimitive().isNumber()) {
            throw JsonFields.wrongType("class_labels", each, "a number or a name, or a list of them");
        }
        return (int) JsonFields.whole(
                "class_labels", each, 0, model.pipeline().config().numClasses() - 1L);
    }

    private static int named(String param, String name, ServedModel model) {
        try {
            return model.pipeline()
                    .classes()
                    .parse(name, model.pipeline().config().numClasses(), "GET /v1/classes");
        } catch (IllegalArgumentException e) {
            throw Refusal.of(param, "unknown_class", String.valueOf(e.getMessage()));
        }
    }
}
