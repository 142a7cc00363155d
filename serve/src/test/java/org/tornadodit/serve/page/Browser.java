package org.tornadodit.serve.page;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.File;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.Assumptions;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebDriverException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogEntry;

/** A headless Chromium of this machine, driven by its chromedriver; neither is ever downloaded. */
final class Browser implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 90;

    /** Selenium knows the DevTools of some versions only, and warns of all others; nothing of them is used here. */
    private static final Logger SELENIUM = Logger.getLogger("org.openqa.selenium");

    private final ChromeDriver driver;

    private Browser(ChromeDriver driver) {
        this.driver = driver;
    }

    /** Skips the tests where there is none, unless {@code -Ddit.browser=required}. */
    static Browser start() {
        boolean required = "required".equals(System.getProperty("dit.browser"));
        Optional<File> chromium = program("chromium");
        Optional<File> chromedriver = program("chromedriver");
        boolean there = chromium.isPresent() && chromedriver.isPresent();
        Assumptions.assumeTrue(there || required, "no chromium and chromedriver in PATH");
        SELENIUM.setLevel(Level.SEVERE);
        ChromeOptions options = new ChromeOptions();
        options.setBinary(chromium.orElseThrow());
        // No sandbox: it cannot be had as root, and what is shown is this project's own.
        options.addArguments(
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run");
        ChromeDriverService service = new ChromeDriverService.Builder()
                .usingDriverExecutable(chromedriver.orElseThrow())
                .usingAnyFreePort()
                .build();
        try {
            return new Browser(new ChromeDriver(service, options));
        } catch (WebDriverException e) {
            service.stop();
            Assumptions.assumeTrue(required, () -> "chromium does not start: " + e.getRawMessage());
            throw e;
        }
    }

    private static Optional<File> program(String name) {
        return Arrays.stream(
                        Optional.ofNullable(System.getenv("PATH")).orElse("").split(File.pathSeparator))
                .map(folder -> new File(folder, name))
                .filter(File::canExecute)
                .findFirst();
    }

    /** A window as it is for who comes the first time: nothing kept, light, all motion. */
    void open(URI page, int width, int height) {
        driver.get("about:blank");
        driver.executeCdpCommand(
                "Storage.clearDataForOrigin", Map.of("origin", page.toString(), "storageTypes", "all"));
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 500));
        prefer(Map.of());
        messages();
        driver.get(page + "/");
    }

    /** What the person has set, such as {@code prefers-color-scheme} to {@code dark}. */
    void prefer(Map<String, String> features) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of(
                        "features",
                        features.entrySet().stream()
                                .map(feature -> Map.of("name", feature.getKey(), "value", feature.getValue()))
                                .toList()));
    }

    void reload() {
        driver.navigate().refresh();
    }

    WebElement find(String selector) {
        return driver.findElement(By.cssSelector(selector));
    }

    List<WebElement> all(String selector) {
        return driver.findElements(By.cssSelector(selector));
    }

    /** Text that is shown at the first such element; empty where there is none. */
    String text(String selector) {
        List<WebElement> found = all(selector);
        return found.isEmpty() ? "" : found.getFirst().getText();
    }

    /** Replaces what is in a field. */
    void type(String selector, String text) {
        find(selector).sendKeys(Keys.chord(Keys.CONTROL, "a"), Keys.DELETE);
        find(selector).sendKeys(text);
    }

    /** Presses keys, wherever the focus is. */
    void press(CharSequence... keys) {
        new Actions(driver).sendKeys(keys).perform();
    }

    WebElement focused() {
        return driver.switchTo().activeElement();
    }

    /** Result of a function's body. */
    Object script(String body, Object... arguments) {
        Object result = driver.executeScript(body, arguments);
        return result == null ? "" : result;
    }

    /** Result of an asynchronous function's body, as JSON; it may import the page's modules. */
    String json(String body) {
        Object text = driver.executeAsyncScript("const done = arguments[0]; (async () => {" + body
                + "})().then((value) => done(JSON.stringify(value)), (failure) => done(String(failure)));");
        return String.valueOf(text);
    }

    /** An image as it is shown, as a PNG in Base64: the content policy lets nothing read its address. */
    String shown(WebElement image) {
        Object url = driver.executeScript("""
            const [image] = arguments;
            const canvas = document.createElement('canvas');
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            canvas.getContext('2d').drawImage(image, 0, 0);
            return canvas.toDataURL('image/png').split(',')[1];
            """, image);
        return String.valueOf(url);
    }

    /** The pictures' files in the page's database, the newest run first, in Base64. */
    List<String> kept() {
        Object texts = driver.executeAsyncScript("""
            const done = arguments[0];
            const opening = indexedDB.open('tornado-dit');
            opening.onsuccess = () => {
              const asked = opening.result.transaction('runs').objectStore('runs').getAll();
              asked.onsuccess = async () => {
                opening.result.close();
                const runs = asked.result.sort((a, b) => b.created - a.created);
                const bytes = await Promise.all(runs.flatMap((run) => run.pictures.map((each) => each.blob.bytes())));
                done(bytes.map((each) => btoa(String.fromCharCode(...each))));
              };
            };
            """);
        return texts instanceof List<?> list
                ? list.stream().map(String::valueOf).toList()
                : List.of();
    }

    void until(String what, BooleanSupplier holds) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000L;
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() > end) {
                fail("not within %d s: %s; the page shows: %s".formatted(PATIENCE_SECONDS, what, text("body")));
            }
            Thread.sleep(30);
        }
    }

    /** What the browser has said since the last time, such as violations of the content policy. */
    List<String> messages() {
        return driver.manage().logs().get("browser").getAll().stream()
                .map(LogEntry::getMessage)
                .toList();
    }

    @Override
    public void close() {
        driver.quit();
    }
}
