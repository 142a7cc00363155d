package org.tornadodit.serve.http;

import java.io.IOException;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.Progress;
import org.tornadodit.serve.api.Answers;
import org.tornadodit.serve.api.Generation;
import org.tornadodit.serve.api.Generation.News;
import org.tornadodit.serve.api.Generations;
import org.tornadodit.serve.api.Refusal;

/** Follows a request until it is answered, or until nobody is there to be answered. */
final class GenerationAnswer {
    /** How often a connection is looked at, and how old the place in the queue is at most. */
    private static final long LOOK_MILLIS = 200;

    /** A comment tells proxies and clients that the stream is alive. */
    private static final long SILENCE_NANOS = 5_000_000_000L;

    private final Exchange exchange;
    private final Generation generation;
    private final Generations generations;
    private final Answers answers;
    private long said;
    private int ahead = -1;
    private boolean begun;

    GenerationAnswer(Exchange exchange, Generation generation, Generations generations, Answers answers) {
        this.exchange = exchange;
        this.generation = generation;
        this.generations = generations;
        this.answers = answers;
    }

    /** @throws IOException when the client is gone; the request is cancelled */
    void run() throws IOException {
        try {
            if (generation.body().stream()) {
                stream();
            } else {
                whole();
            }
        } finally {
            generation.cancel("closed");
        }
    }

    private News await() throws IOException {
        News news = generation.await(LOOK_MILLIS);
        if (!news.done() && exchange.isGone()) {
            throw new IOException("the client is gone");
        }
        return news;
    }

    private void whole() throws IOException {
        boolean done = false;
        while (!done) {
            done = await().done();
        }
        exchange.answerJson(200, answers.whole(generation.pictures()));
    }

    private void stream() throws IOException {
        exchange.beginStream("text/event-stream");
        tellQueue();
        for (boolean done = false; !done; ) {
            News news = await();
            done = news.done(); // perhaps before what came last was told
            if (news.previewed() != null) {
                tellPreviews(news.previewed());
            }
            if (news.progress() != null) {
                begun = true;
                say(answers.progress(news.progress()));
            } else if (!begun && !done) {
                tellQueue();
            }
            if (System.nanoTime() - said > SILENCE_NANOS) {
                send(": alive\n\n");
            }
        }
        try {
            int index = 0;
            for (Picture picture : generation.pictures()) {
                say(answers.completed(picture, index));
                index++;
            }
            exchange.send(Answers.done(index, generation.seconds()).text(), true);
        } catch (Refusal refusal) {
            exchange.send(Answers.error(refusal).text(), true);
        }
    }

    private void tellQueue() throws IOException {
        int now = generations.ahead(generation);
        if (now != ahead) {
            ahead = now;
            say(answers.queued(now, generations.running(), generations.waiting()));
        }
    }

    private void tellPreviews(Progress progress) throws IOException {
        for (int place = 0; place < progress.previews().size(); place++) {
            say(answers.partial(progress, place));
        }
    }

    private void say(Answers.Event event) throws IOException {
        send(event.text());
    }

    private void send(String text) throws IOException {
        exchange.send(text, false);
        said = System.nanoTime();
    }
}
