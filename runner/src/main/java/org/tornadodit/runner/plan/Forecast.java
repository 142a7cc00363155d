package org.tornadodit.runner.plan;

import java.util.Locale;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.graph.Count;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.tune.DeviceRates.Rate;

/**
 * How long some samples take one device, from the work and the device's rates.
 *
 * @param step seconds of a denoising step
 * @param decoding seconds of the decoder
 */
record Forecast(double step, double decoding) {

    static Forecast of(DitConfig config, VaeConfig vae, int samples, boolean guided, Rate rate) {
        return new Forecast(
                Count.ofStep(config, Part.of(config, samples, guided)).flops() / rate.denoiser(),
                Count.ofDecoder(vae, config.inputSize(), samples).flops() / rate.decoder());
    }

    double seconds(int steps) {
        return steps * step + decoding;
    }

    /** Seconds as people say them. */
    static String duration(double seconds) {
        if (seconds >= 5400) {
            return String.format(Locale.ROOT, "%.1f hours", seconds / 3600);
        }
        if (seconds >= 90) {
            return String.format(Locale.ROOT, "%.1f minutes", seconds / 60);
        }
        return seconds >= 1
                ? String.format(Locale.ROOT, "%.1f s", seconds)
                : String.format(Locale.ROOT, "%.1f ms", 1e3 * seconds);
    }
}
