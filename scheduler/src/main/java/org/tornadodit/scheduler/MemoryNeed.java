package org.tornadodit.scheduler;

import java.util.Locale;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.TornadoDevices.Listed;

/**
 * Device memory of a run, known before anything is allocated.
 *
 * @param weights bytes of both models' weights
 * @param denoiser bytes of the denoiser's activations
 * @param decoder bytes of the decoder's activations
 * @param decodedTogether images that one pass of the decoder takes
 */
record MemoryNeed(long weights, long denoiser, long decoder, int decodedTogether) {

    static MemoryNeed of(
            DitConfig config, VaeConfig vae, Part part, Operations operations, DecoderTier decoder, long decoderBytes) {
        long vaeParameters = VaeWeights.specs(vae).stream()
                .mapToLong(spec -> spec.shape().elements())
                .sum();
        long image = VaeBuffers.bytes(vae, config.inputSize(), 1, decoder);
        int together = (int) Math.clamp(decoderBytes / image, 1, part.samples().count());
        return new MemoryNeed(
                operations.weightBytes(config) + vaeParameters * Float.BYTES,
                DitBuffers.bytes(config, part, operations),
                VaeBuffers.bytes(vae, config.inputSize(), together, decoder),
                together);
    }

    long bytes() {
        return weights + denoiser + decoder;
    }

    /**
     * To be called on the thread that will use the device: TornadoVM's JNI code logs an allocation that the driver
     * refuses and goes on with a null pointer, so that memory has to be known to be free before.
     *
     * @throws DeviceUnavailableException with what is needed, what is there, and what to lower
     * @throws DeviceFullException when there would be enough, if it were free
     */
    void requireFits(Listed device, int samples) {
        if (bytes() > device.memory()) {
            throw new DeviceUnavailableException(String.format(
                    Locale.ROOT,
                    "device %s is too small: %.2f GB needed (weights %.2f, denoiser %.2f for %d samples, decoder %.2f),"
                            + " %.2f GB there; name fewer --class-labels or use --device cpu",
                    device.name(),
                    bytes() / 1e9,
                    weights / 1e9,
                    denoiser / 1e9,
                    samples,
                    decoder / 1e9,
                    device.memory() / 1e9));
        }
        long free = DeviceMemory.free(device).orElse(device.memory());
        if (bytes() > free) {
            throw new DeviceFullException(String.format(
                    Locale.ROOT,
                    "device %d (%s): %.2f GB needed (weights %.2f, denoiser %.2f for %d samples, decoder %.2f),"
                            + " %.2f GB of %.2f GB free: another program holds the rest; name other --devices or fewer"
                            + " --class-labels",
                    device.index(),
                    device.name(),
                    bytes() / 1e9,
                    weights / 1e9,
                    denoiser / 1e9,
                    samples,
                    decoder / 1e9,
                    free / 1e9,
                    device.memory() / 1e9));
        }
    }
}
