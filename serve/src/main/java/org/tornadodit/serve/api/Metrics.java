package org.tornadodit.serve.api;

import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.DoubleSupplier;

/** Counts for Prometheus. Label values are of a fixed set: no client makes them grow. */
public final class Metrics {
    public static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();

    private final Counter answers = Counter.builder()
            .name("dit_http_requests_total")
            .help("HTTP requests that were answered.")
            .labelNames("route", "status")
            .register(registry);
    private final Counter pictures = Counter.builder()
            .name("dit_pictures_total")
            .help("Pictures that were sampled.")
            .register(registry);
    private final Counter steps = Counter.builder()
            .name("dit_steps_total")
            .help("Denoising steps of pictures, those of cancelled requests included.")
            .register(registry);
    private final Histogram seconds = Histogram.builder()
            .name("dit_request_seconds")
            .help("Time from a request's admission to its last picture, waiting included.")
            .labelNames("outcome")
            .classicOnly()
            .classicUpperBounds(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500)
            .register(registry);

    /** A number that is asked for when somebody looks. */
    public void gauge(String name, String help, DoubleSupplier value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(callback -> callback.call(value.getAsDouble()))
                .register(registry);
    }

    /** @param route of a fixed set */
    public void answered(String route, int status) {
        answers.labelValues(route, String.valueOf(status)).inc();
    }

    void stepped(int samples) {
        steps.inc(samples);
    }

    /** @param outcome {@code done}, {@code failed}, {@code cancelled} or {@code timeout} */
    void ended(String outcome, int made, double took) {
        pictures.inc(made);
        seconds.labelValues(outcome).observe(took);
    }

    /** Prometheus's text format, version 0.0.4. */
    public byte[] text() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            writer.write(bytes, registry.scrape(), EscapingScheme.DEFAULT);
        } catch (IOException e) {
            throw new UncheckedIOException("metrics in memory", e);
        }
        return bytes.toByteArray();
    }
}
