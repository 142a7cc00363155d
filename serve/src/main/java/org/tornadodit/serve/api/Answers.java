package org.tornadodit.serve.api;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.Progress;
import org.tornadodit.pipeline.Request;

/** JSON of answers and events. */
public final class Answers {
    private final ServedModel model;
    private final GenerationBody body;

    public Answers(ServedModel model, GenerationBody body) {
        this.model = model;
        this.body = body;
    }

    /** The answer of a request that is not streamed. */
    public String whole(List<Picture> pictures) {
        JsonObject answer = new JsonObject();
        answer.addProperty("created", Instant.now().getEpochSecond());
        answer.addProperty("model", model.name());
        answer.addProperty("size", model.size());
        answer.addProperty("output_format", body.format().option());
        addSampling(answer);
        JsonArray data = new JsonArray();
        for (Picture picture : pictures) {
            JsonObject one = new JsonObject();
            addPicture(one, picture);
            data.add(one);
        }
        answer.add("data", data);
        return Json.line(answer);
    }

    private void addSampling(JsonObject json) {
        Request request = body.request();
        json.addProperty("seed", request.seed());
        json.addProperty("num_inference_steps", body.steps());
        json.addProperty("guidance_scale", request.guidance());
        json.addProperty("sampler", body.sampler().option());
    }

    private void addPicture(JsonObject json, Picture picture) {
        json.addProperty("b64_json", Base64.getEncoder().encodeToString(picture.bytes(body.format())));
        json.addProperty("revised_prompt", picture.className());
        json.addProperty("class_label", picture.label());
    }

    /**
     * An event.
     *
     * @param type its name
     * @param data one line of JSON, which has the type too
     */
    public record Event(String type, String data) {
        /** As {@code text/event-stream} has it. */
        public String text() {
            return "event: " + type + "\ndata: " + data + "\n\n";
        }
    }

    private static Event event(JsonObject json) {
        return new Event(json.get("type").getAsString(), Json.line(json));
    }

    private static JsonObject ofType(String type) {
        JsonObject json = new JsonObject();
        json.addProperty("type", type);
        return json;
    }

    /** @param ahead requests that came before and have not begun */
    public Event queued(int ahead, int running, int waiting) {
        JsonObject json = ofType("queued");
        json.addProperty("ahead", ahead);
        json.addProperty("running", running);
        json.addProperty("waiting", waiting);
        json.addProperty("seed", body.request().seed());
        return event(json);
    }

    /** How far it is; {@code time_left} in seconds. */
    public Event progress(Progress progress) {
        JsonObject json = ofType("progress");
        json.addProperty("step", progress.step());
        json.addProperty("steps", progress.steps());
        json.addProperty("batch", progress.batch());
        json.addProperty("batches", progress.batches());
        json.addProperty("fraction", rounded(progress.fraction()));
        json.addProperty("steps_per_second", rounded(progress.stepsPerSecond()));
        json.addProperty("time_left", rounded(progress.timeLeft().toMillis() / 1e3));
        return event(json);
    }

    private static double rounded(double value) {
        return Math.round(value * 1e4) / 1e4;
    }

    /**
     * A picture as it is so far.
     *
     * @param place in the batch
     */
    public Event partial(Progress progress, int place) {
        JsonObject json = ofType("image_generation.partial_image");
        json.addProperty(
                "partial_image_index",
                (progress.step() - 1) / Math.max(1, body.request().previewEvery()));
        json.addProperty("index", (progress.batch() - 1) * model.pipeline().maxBatch() + place);
        json.addProperty("step", progress.step());
        json.addProperty("steps", progress.steps());
        addPicture(json, progress.previews().get(place));
        return event(json);
    }

    /** @param index of the picture in the request */
    public Event completed(Picture picture, int index) {
        JsonObject json = ofType("image_generation.completed");
        json.addProperty("index", index);
        addPicture(json, picture);
        long now = Instant.now().getEpochSecond();
        json.addProperty("created", now);
        json.addProperty("created_at", now);
        json.addProperty("size", model.size());
        json.addProperty("output_format", body.format().option());
        addSampling(json);
        return event(json);
    }

    /** The last event of a request that is done. */
    public static Event done(int pictures, double seconds) {
        JsonObject json = ofType("done");
        json.addProperty("pictures", pictures);
        json.addProperty("seconds", rounded(seconds));
        return event(json);
    }

    /** The last event of one that failed. */
    public static Event error(Refusal refusal) {
        JsonObject json = ofType("error");
        json.add("error", refusal.error());
        return event(json);
    }
}
