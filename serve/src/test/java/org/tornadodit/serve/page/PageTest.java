package org.tornadodit.serve.page;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.Request;
import org.tornadodit.serve.DitServer;
import org.tornadodit.serve.ServerOptions;

/** What a person does at the page, in a real browser, with the demo model on the CPU engine. */
@Execution(ExecutionMode.SAME_THREAD)
class PageTest {
    private static final Path DEMO =
            Path.of(System.getProperty("dit.root", "..")).resolve("demo");
    private static final String DONE = ".run[data-state=done]";

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static Browser browser;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static DitPipeline dit;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static DitServer server;

    @BeforeAll
    static void start() throws IOException {
        browser = Browser.start();
        dit = DitPipeline.load(DEMO.resolve("dit.pt"), DEMO.resolve("vae"))
                .devices("cpu")
                .maxBatch(4)
                .notices(line -> {})
                .open();
        server = DitServer.start(dit, options());
    }

    private static ServerOptions options() {
        return ServerOptions.defaults().port(0).model("demo").grace(Duration.ofSeconds(1));
    }

    @AfterAll
    @SuppressWarnings("NullAway") // not set where there is no browser
    static void close() {
        if (server != null) {
            server.close();
            dit.close();
        }
        if (browser != null) {
            browser.close();
        }
    }

    @AfterEach
    void nothingBrokeTheContentPolicyOrThrew() {
        for (String message : browser.messages()) {
            assertFalse(message.contains("Content Security Policy") || message.contains("Uncaught"), message);
        }
    }

    private static void open() throws InterruptedException {
        open(server.uri(), 1280, 860);
    }

    private static void open(URI address, int width, int height) throws InterruptedException {
        browser.open(address, width, height);
        connected();
    }

    private static void connected() throws InterruptedException {
        browser.until("connected", () -> browser.text("#model").startsWith("demo, 128"));
    }

    /** Chooses classes, DPM-Solver++ and so many steps. */
    private static void ask(String steps, String seed, String... classes) {
        for (String name : classes) {
            browser.type("#classes", name + Keys.ENTER);
        }
        browser.find("#sampler option[value='dpm++']").click();
        browser.type("#steps", steps);
        browser.type("#seed", seed);
    }

    private static void awaitDone(int runs) throws InterruptedException {
        browser.until(runs + " runs done", () -> browser.all(DONE).size() == runs);
    }

    private static byte[] bytes(String base64) {
        return Base64.getDecoder().decode(base64);
    }

    private static BufferedImage picture(String base64) {
        try {
            return ImageIO.read(new ByteArrayInputStream(bytes(base64)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static BufferedImage preview(String url) {
        assertTrue(url.startsWith("data:image/png;base64,"), url);
        return picture(url.substring(url.indexOf(',') + 1));
    }

    /** Mean absolute difference of the levels, 0 to 255. */
    private static double difference(BufferedImage a, BufferedImage b) {
        long sum = 0;
        for (int y = 0; y < a.getHeight(); y++) {
            for (int x = 0; x < a.getWidth(); x++) {
                for (int shift = 0; shift < 24; shift += 8) {
                    sum += Math.abs((a.getRGB(x, y) >> shift & 0xff) - (b.getRGB(x, y) >> shift & 0xff));
                }
            }
        }
        return sum / (3.0 * a.getWidth() * a.getHeight());
    }

    @Test
    void watchesPicturesSharpenAndKeepsThem() throws Exception {
        open();
        assertTrue(browser.find("#empty").isDisplayed());
        ask("8", "5", "fox", "rock");
        assertEquals("Make 2 pictures", browser.text("#make"));
        browser.script("""
            window.seen = [];
            new MutationObserver((all) => all.forEach(({target}) => {
              if (target === document.querySelector('.tile img')) window.seen.push(target.src);
            })).observe(document.getElementById('runs'), {subtree: true, attributes: true, attributeFilter: ['src']});
            """);
        browser.find("#make").click();
        browser.until(
                "a step is told",
                () -> browser.text(".state").matches("Step \\d of 8 · .+ (steps/s|a step) · (.+ left|decoding)"));
        assertTrue(browser.find(".cancel").isDisplayed());
        awaitDone(1);

        assertTrue(
                browser.text(".facts").startsWith("8 steps · dpm++ · guidance 4 · seed 5 · "), browser.text(".facts"));
        @SuppressWarnings("unchecked")
        List<String> seen = (List<String>) browser.script("return window.seen");
        assertTrue(seen.size() >= 4, seen.size() + " pictures of the fox were seen");
        BufferedImage last = picture(browser.shown(browser.find(".tile img")));
        double first = difference(preview(seen.getFirst()), last);
        double late = difference(preview(seen.get(seen.size() - 2)), last);
        assertTrue(late < first / 2, "a preview is %.2f levels off at first, %.2f at last".formatted(first, late));

        List<Picture> expected = dit.sample(Request.of(dit.labels("fox", "rocket"))
                .sampler(SamplingMethod.DPM_SOLVER_PLUS_PLUS)
                .steps(8)
                .seed(5));
        assertShown(expected);

        browser.reload();
        connected();
        awaitDone(1);
        assertShown(expected);
        assertTrue(browser.text("#kept-text").startsWith("2 pictures are kept"), browser.text("#kept-text"));
        assertEquals("Make 2 pictures", browser.text("#make"), "the form remembers");
        assertEquals("8", browser.find("#steps").getDomProperty("value"));

        browser.find(".remove").click();
        browser.until("nothing is left", () -> browser.find("#empty").isDisplayed());
        browser.reload();
        connected();
        assertTrue(browser.find("#empty").isDisplayed());
    }

    private static void assertShown(List<Picture> expected) {
        List<WebElement> images = browser.all(".tile.complete img");
        assertEquals(expected.size(), images.size());
        for (int i = 0; i < images.size(); i++) {
            assertEquals(expected.get(i).className(), images.get(i).getDomAttribute("alt"));
            double off = difference(expected.get(i).image(), picture(browser.shown(images.get(i))));
            assertEquals(0, off, "picture " + i + " as it is shown");
            assertArrayEquals(expected.get(i).png(), bytes(browser.kept().get(i)), "picture " + i + " as it is kept");
        }
    }

    @Test
    void againWithAnotherSeedAndDownload() throws Exception {
        open();
        ask("1", "5", "owl");
        browser.find("#make").click();
        awaitDone(1);
        browser.find(".again").click();
        awaitDone(2);
        List<String> facts =
                browser.all(".facts").stream().map(WebElement::getText).toList();
        assertTrue(facts.get(1).contains("seed 5"), facts::toString);
        assertTrue(facts.get(0).matches("1 step · dpm\\+\\+ · guidance 4 · seed \\d+ · .*"), facts::toString);
        assertFalse(facts.get(0).contains("seed 5 "), facts::toString);

        browser.type("#seed", "77");
        browser.all(".tile").getLast().click();
        assertEquals("owl-seed-5.png", browser.find("#viewer-download").getDomAttribute("download"));
        assertEquals(
                browser.all(".tile img").getLast().getDomProperty("src"),
                browser.find("#viewer-download").getDomProperty("href"));
        browser.find("#viewer-use").click();
        assertEquals("5", browser.find("#seed").getDomProperty("value"));

        browser.json("""
            const {Store} = await import('/store.js');
            const store = new Store();
            await store.open();
            for (const run of await store.all()) await store.add({...run, model: 'another'});
            """);
        browser.reload();
        connected();
        awaitDone(2);
        browser.find(".again").click();
        assertEquals(
                "That was made by the model another, which this server does not have.", browser.text("#ask-error"));
        assertEquals(2, browser.all(".run").size());
    }

    @Test
    void cancels() throws Exception {
        open();
        ask("900", "1", "panda");
        browser.find("#make").click();
        browser.until("at work", () -> browser.text(".state").startsWith("Step "));
        browser.find(".cancel").click();
        browser.until("cancelled", () -> browser.text(".state").equals("Cancelled."));
        browser.until("its place is free", () -> dit.running() == 0);
        assertTrue(browser.find(".retry").isDisplayed());
        browser.reload();
        connected();
        assertEquals(0, browser.all(".run").size(), "what was cancelled is not kept");
    }

    @Test
    void showsThePlaceInTheQueueAndThatItIsFull() throws Exception {
        try (DitServer other = DitServer.start(dit, options().maxWaiting(0))) {
            open(other.uri(), 1280, 860);
            ask("900", "1", "fox");
            browser.type("#n", "4");
            browser.find("#make").click();
            browser.until("at work", () -> browser.text(".state").startsWith("Step "));
            browser.type("#n", "1");
            browser.type("#steps", "1");
            browser.find("#make").click();
            browser.until("next", () -> browser.text(".state").equals("Next in the queue"));
            browser.find("#make").click();
            browser.until("behind it", () -> browser.text(".state").equals("1 request is before this one"));
            browser.find("#make").click();
            browser.until("behind both", () -> browser.text(".state").equals("2 requests are before this one"));
            // As many as pictures share a pass are taken by this server, and none beyond.
            browser.find("#make").click();
            browser.until("refused", () -> browser.text(".run .error").matches(".+; try again in \\d+ s\\."));
            browser.all(".cancel").getLast().click();
            awaitDone(3);
            browser.find(".retry").click();
            awaitDone(4);
        }
    }

    @Test
    void saysInPlaceWhatIsWrong() throws Exception {
        open();
        browser.find("#make").click();
        assertEquals("Choose a class first.", browser.text("#classes-error"));
        assertEquals("classes", browser.focused().getDomAttribute("id"));
        browser.type("#classes", "foxx");
        assertTrue(browser.text("#suggestions").contains("No other class has “foxx” in its name."));
        ask("0", "abc");
        browser.type("#n", "3");
        browser.find("#make").click();
        assertEquals("The model has no class “foxx”.", browser.text("#classes-error"));
        assertEquals("Expected 1 to 1000 steps.", browser.text("#steps-error"));
        assertTrue(browser.text("#seed-error").startsWith("Expected a whole number, 0 to 9007199254740991"));
        assertEquals("true", browser.find("#seed").getDomAttribute("aria-invalid"));
        assertEquals(0, browser.all(".run").size());

        browser.type("#classes", "");
        ask("1000", "1", "fox", "owl", "cat", "lion");
        assertEquals("", browser.text("#seed-error"), "gone once it is mended");
        browser.find("#make").click();
        assertEquals("That makes 12 pictures, at most 10 are allowed.", browser.text("#n-error"));
        browser.type("#n", "1");
        browser.find("#make").click();
        browser.until("the server's word", () -> browser.text(".run .error").contains("999"));
        assertTrue(browser.find(".run .retry").isDisplayed());
    }

    /** Everything by Tab, Enter, Escape and arrows, and each place where the focus is can be seen. */
    @Test
    void worksByKeyboardAlone() throws Exception {
        open();
        browser.press(Keys.TAB);
        assertEquals("Skip to the pictures", browser.focused().getText());
        tabTo("classes");
        browser.press("pan");
        browser.until("suggestions", () -> browser.find("#suggestions").isDisplayed());
        WebElement input = browser.find("#classes");
        assertEquals("true", input.getDomAttribute("aria-expanded"));
        assertEquals("panda", browser.text("#" + input.getDomAttribute("aria-activedescendant")));
        browser.press(Keys.ESCAPE);
        assertEquals("false", input.getDomAttribute("aria-expanded"));
        browser.press(Keys.ARROW_DOWN);
        browser.until("opened again", () -> "true".equals(input.getDomAttribute("aria-expanded")));
        browser.press(Keys.ENTER);
        assertEquals("panda", browser.text("#chosen"));
        browser.press("tiger", Keys.ENTER);
        assertEquals(2, browser.all("#chosen li").size());
        browser.press(Keys.BACK_SPACE);
        assertEquals("panda", browser.text("#chosen"));
        tabTo("sampler");
        browser.press("unipc");
        tabTo("steps");
        assertEquals("15", browser.find("#steps").getDomProperty("value"), "as many as suit the sampler");
        browser.press(Keys.chord(Keys.CONTROL, "a"), "1");
        tabTo("make");
        browser.press(Keys.ENTER);
        awaitDone(1);

        while (!String.valueOf(browser.focused().getDomAttribute("class")).contains("tile")) {
            tab();
        }
        browser.press(Keys.ENTER);
        assertTrue(browser.find("#viewer").isDisplayed());
        assertEquals("panda", browser.text("#viewer-title"));
        Set<String> inside = new HashSet<>();
        for (int i = 0; i < 4; i++) {
            inside.add(String.valueOf(browser.focused().getDomAttribute("id")));
            tab();
        }
        assertTrue(
                inside.containsAll(Set.of("viewer-download", "viewer-again", "viewer-use", "viewer-close")),
                inside::toString);
        browser.press(Keys.ESCAPE);
        browser.until("closed", () -> !browser.find("#viewer").isDisplayed());
        assertEquals("panda, look closer", browser.focused().getDomAttribute("aria-label"), "the focus is back");
    }

    private static void tabTo(String id) {
        for (int i = 0; i < 40; i++) {
            if (id.equals(browser.focused().getDomAttribute("id"))) {
                return;
            }
            tab();
        }
        throw new AssertionError("Tab does not lead to " + id);
    }

    private static void tab() {
        browser.press(Keys.TAB);
        assertEquals(
                true,
                browser.script("""
                    const focused = document.activeElement;
                    const framed = focused.id === 'classes' ? focused.parentElement : focused;
                    return focused === document.body || getComputedStyle(framed).outlineStyle !== 'none';
                    """),
                () -> "the focus cannot be seen at " + browser.focused().getDomProperty("outerHTML"));
    }

    /** However the network cuts them. */
    @Test
    void readsEventsAsTheStandardHasThem() throws Exception {
        open();
        String read = browser.json("""
            const {eventData} = await import('/api.js');
            const text = ': alive\\n\\nevent: a\\r\\ndata: {"name":"Löwe"}\\r\\n\\r\\ndata:1\\ndata: 2\\n\\ndata: 3\\r\\rdata: cut';
            const bytes = new TextEncoder().encode(text);
            const all = [];
            for (const size of [1, 2, 3, 1000]) {
              const stream = new ReadableStream({start(to) {
                for (let at = 0; at < bytes.length; at += size) to.enqueue(bytes.slice(at, at + size));
                to.close();
              }});
              const found = [];
              for await (const data of eventData(stream)) found.push(data);
              all.push(found.join('|'));
            }
            return [...new Set(all)];
            """);
        assertEquals("[\"{\\\"name\\\":\\\"Löwe\\\"}|1\\n2|3\"]", read);
    }

    @Test
    void theGalleryIsBoundedAndTheBestMatchComesFirst() throws Exception {
        open();
        assertEquals("[[\"c\"],[],[\"b\",\"c\"]]", browser.json("""
            const {beyond} = await import('/store.js');
            const run = (id, pictures, size) => ({id, pictures: Array(pictures).fill({blob: {size}})});
            return [
              beyond([run('a', 100, 1), run('b', 100, 1), run('c', 1, 1)]),
              beyond([run('a', 300, 1)]),
              beyond([run('a', 1, 9e7), run('b', 1, 2e7), run('c', 1, 1)]),
            ];
            """));
        assertEquals(
                "[[\"cat\",\"caterpillar\",\"tabby\",\"wild cat\",\"bobcat\"],[\"bobcat\"],[]]", browser.json("""
                    const {matching} = await import('/combobox.js');
                    const all = ['bobcat', 'wild cat', 'caterpillar', 'tabby', 'cat', 'dog'].map((name, label) => (
                      {label: label + 7, name, names: name === 'tabby' ? ['tabby', 'cat-like'] : [name]}));
                    return ['Cat', '7', 'owl'].map((text) => matching(all, text).map((each) => each.name));
                    """));
    }

    @Test
    void fitsAPhoneAndWhatThePersonPrefers() throws Exception {
        open(server.uri(), 375, 812);
        ask("1", "3", "fox", "owl");
        browser.find("#make").click();
        browser.prefer(Map.of("prefers-color-scheme", "light", "prefers-reduced-motion", "reduce"));
        assertEquals("none", browser.script("return getComputedStyle(document.querySelector('.tile')).animationName"));
        awaitDone(1);
        assertNoSidewaysScroll("the page");
        browser.find(".tile").click();
        assertNoSidewaysScroll("a picture");
        assertTrue(browser.find("#viewer").getSize().getWidth() <= 375);
        browser.press(Keys.ESCAPE);
        String light = String.valueOf(browser.script("return getComputedStyle(document.body).backgroundColor"));
        browser.prefer(Map.of("prefers-color-scheme", "dark"));
        assertNotEquals(light, browser.script("return getComputedStyle(document.body).backgroundColor"));
    }

    private static void assertNoSidewaysScroll(String what) {
        Object widths = browser.script("return [document.documentElement.scrollWidth, innerWidth].join()");
        assertEquals("375,375", widths, what);
    }

    @Test
    void asksForATokenAndSaysThatTheServerIsGone() throws Exception {
        DitServer other = DitServer.start(dit, options().token("a-long-token"));
        try {
            browser.open(other.uri(), 1280, 860);
            browser.until("asked", () -> browser.find("#token-dialog").isDisplayed());
            browser.press("another-token", Keys.ENTER);
            browser.until("refused", () -> browser.text("#token-error").equals("The server does not take this token."));
            browser.press("a-long-token", Keys.ENTER);
            connected();
            assertFalse(browser.find("#token-dialog").isDisplayed());
            ask("1", "1", "fox");
            browser.find("#make").click();
            awaitDone(1);
            browser.reload();
            connected();
        } finally {
            other.close();
        }
        browser.find("#make").click();
        browser.until(
                "said", () -> browser.text(".run .error").equals("The server does not answer. Is it still running?"));
    }
}
