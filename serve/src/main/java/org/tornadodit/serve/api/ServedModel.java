package org.tornadodit.serve.api;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.stream.IntStream;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.pipeline.DitPipeline;

/**
 * The model that is served, and what may be asked of it.
 *
 * @param name that {@code model} of a request has
 * @param maxPictures of a request
 * @param maxWaiting requests that may wait while as many as the largest batch are at work
 * @param timeoutSeconds of a request, from its arrival
 * @param created when it was loaded, in seconds since 1970
 */
public record ServedModel(
        DitPipeline pipeline, String name, int maxPictures, int maxWaiting, long timeoutSeconds, long created) {
    /** Of the sampler with most. */
    static final int MOST_STEPS = 1000;

    /** Answers of more classes have pages. */
    public static final int MOST_CLASSES = 1000;

    Objective objective() {
        return pipeline.config().objective();
    }

    /** As {@code size} has it. */
    String size() {
        int pixels = pipeline.config().imageSize();
        return pixels + "x" + pixels;
    }

    /** Requests that may be here at a time. */
    int maxActive() {
        return (int) Math.min(Integer.MAX_VALUE, (long) maxWaiting + pipeline.maxBatch());
    }

    /** The answer of {@code GET /v1/models}. */
    public String modelsJson() {
        JsonArray data = new JsonArray();
        data.add(model());
        JsonObject list = new JsonObject();
        list.addProperty("object", "list");
        list.add("data", data);
        return Json.line(list);
    }

    /**
     * The answer of {@code GET /v1/models/NAME}.
     *
     * @throws Refusal when it is another's name
     */
    public String modelJson(String wanted) {
        requireName(wanted);
        return Json.line(model());
    }

    void requireName(String wanted) {
        if (!wanted.equals(name)) {
            throw new Refusal(
                    404, "model_not_found", "there is no model \"%s\" here, only \"%s\"".formatted(wanted, name));
        }
    }

    private JsonObject model() {
        JsonObject model = new JsonObject();
        model.addProperty("id", name);
        model.addProperty("object", "model");
        model.addProperty("created", created);
        model.addProperty("owned_by", "tornado-dit");
        model.addProperty("image_size", pipeline.config().imageSize());
        model.addProperty("classes", pipeline.config().numClasses());
        model.addProperty("named", !pipeline.classes().names().isEmpty());
        JsonArray samplers = new JsonArray();
        objective().samplers().stream().map(SamplingMethod::option).forEach(samplers::add);
        model.add("samplers", samplers);
        JsonObject defaults = new JsonObject();
        defaults.addProperty("num_inference_steps", Integer.valueOf(objective().defaultSteps()));
        defaults.addProperty("guidance_scale", objective().defaultCfgScale());
        defaults.addProperty("sampler", objective().samplers().getFirst().option());
        defaults.addProperty("n", 1);
        model.add("defaults", defaults);
        JsonObject limits = new JsonObject();
        limits.addProperty("max_pictures", maxPictures);
        limits.addProperty("max_batch", pipeline.maxBatch());
        limits.addProperty("max_waiting", maxWaiting);
        limits.addProperty("max_steps", MOST_STEPS);
        limits.addProperty("timeout", timeoutSeconds);
        model.add("limits", limits);
        model.addProperty("engine", pipeline.description());
        return model;
    }

    /**
     * The answer of {@code GET /v1/classes}.
     *
     * @param word part of a name, any case; empty for all
     * @param offset classes of those that are left out at the beginning
     * @param limit most classes in the answer
     */
    public String classesJson(String word, int offset, int limit) {
        List<Integer> matching = matching(word);
        JsonArray data = new JsonArray();
        matching.stream().skip(offset).limit(limit).forEach(label -> {
            JsonObject one = new JsonObject();
            one.addProperty("label", label);
            one.addProperty("name", pipeline.classes().name(label));
            JsonArray names = new JsonArray();
            if (label < pipeline.classes().names().size()) {
                pipeline.classes().allNames(label).forEach(names::add);
            }
            one.add("names", names);
            data.add(one);
        });
        JsonObject list = new JsonObject();
        list.addProperty("object", "list");
        list.addProperty("total", matching.size());
        list.add("data", data);
        JsonArray favourites = new JsonArray();
        pipeline.classes().favourites().forEach(favourites::add);
        list.add("favourites", favourites);
        return Json.line(list);
    }

    private List<Integer> matching(String word) {
        if (!pipeline.classes().names().isEmpty()) {
            return pipeline.classes().containing(word);
        }
        return IntStream.range(0, pipeline.config().numClasses())
                .boxed()
                .filter(label -> String.valueOf(label).contains(word.strip()))
                .toList();
    }
}
