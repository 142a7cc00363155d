package org.tornadodit.runner.plan;

import java.util.Locale;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.tune.DeviceRates.Rate;

/**
 * How long some samples take one device, from the work and the device's rates.
 *
 * @param step seconds of a denoising step
 * @param decoding seconds of the decoder
 */
record Forecast(double step, double decoding) {

    static Forecast of(DitConfig config, VaeConfig vae, int samples, int passesOfSample, Rate rate) {
        return new Forecast(
                passesOfSample * samples * SamplingPlan.forwardFlops(config) / rate.denoiser(),
                samples * decoderFlops(vae, config.inputSize()) / rate.decoder());
    }

    double seconds(int steps) {
        return steps * step + decoding;
    }

    /** Operations of one image's decoding: two a multiplication and addition, products only. */
    static double decoderFlops(VaeConfig vae, int latentSize) {
        double channels = vae.midChannels();
        double pixels = (double) latentSize * latentSize;
        double sum = pixels * 9 * vae.latentChannels() * channels;
        sum += 4 * pixels * 9 * channels * channels; // two residual layers
        if (vae.midBlockAddAttention()) {
            sum += pixels * 4 * channels * channels + 2 * pixels * pixels * channels;
        }
        for (int block = 0; block < vae.upBlockChannels().size(); block++) {
            double out = vae.upBlockChannels().get(block);
            sum += pixels * 9 * out * (channels + (2 * vae.resnetsPerUpBlock() - 1) * out);
            sum += channels == out ? 0 : pixels * channels * out; // conv_shortcut
            channels = out;
            if (block < vae.upBlockChannels().size() - 1) {
                pixels *= 4;
                sum += pixels * 9 * channels * channels;
            }
        }
        return 2 * (sum + pixels * 9 * channels * vae.outChannels());
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
