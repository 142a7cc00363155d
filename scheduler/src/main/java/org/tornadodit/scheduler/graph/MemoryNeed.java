package org.tornadodit.scheduler.graph;

import org.tornadodit.model.ByteCount;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.DeviceFullException;
import org.tornadodit.scheduler.device.DeviceMemory;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Part;

/**
 * Device memory of a run, known before anything is allocated.
 *
 * @param weights bytes of both models' weights
 * @param denoiser bytes of the denoiser's activations, and of what its weights pass through
 * @param decoder bytes of the decoder's activations
 * @param decodedTogether images that one pass of the decoder takes
 */
public record MemoryNeed(long weights, long denoiser, long decoder, int decodedTogether) {

    /**
     * @param decoderBytes that a pass of the decoder may take, where one image takes no more
     * @param between the devices of the crew
     * @param hostNoise whether the noise comes from the host, and so has arrays on the device
     */
    public static MemoryNeed of(
            DitConfig config,
            VaeConfig vae,
            Part part,
            Operations operations,
            DecoderTier decoder,
            long decoderBytes,
            Link between,
            boolean hostNoise) {
        Count step = Count.ofStep(config, part, operations, between, hostNoise);
        Bands bands = Bands.of(vae, config.inputSize(), part);
        long image = Count.ofDecoder(bands, vae, config.inputSize(), 1, decoder, between)
                .activationBytes();
        int together = bands.isDivided() ? 1 : (int) Math.clamp(decoderBytes / image, 1, part.decodedSamples());
        Count pass = Count.ofDecoder(bands, vae, config.inputSize(), together, decoder, between);
        return new MemoryNeed(
                step.weightBytes() + pass.weightBytes(), step.activationBytes(), pass.activationBytes(), together);
    }

    public long bytes() {
        return weights + denoiser + decoder;
    }

    /**
     * To be called on the thread that will use the device: TornadoVM's JNI code logs an allocation that the driver
     * refuses and goes on with a null pointer, so that memory has to be known to be free before.
     *
     * @throws DeviceUnavailableException with what is needed, what is there, and what to lower
     * @throws DeviceFullException when there would be enough, if it were free
     */
    public void requireFits(ListedDevice device, int samples) {
        if (bytes() > device.memory()) {
            throw new DeviceUnavailableException(String.format(
                    "device %s is too small: %s needed (weights %s, denoiser %s for %d samples, decoder %s),"
                            + " %s there; name fewer --class-labels or use --device cpu",
                    device.name(),
                    ByteCount.of(bytes()),
                    ByteCount.of(weights),
                    ByteCount.of(denoiser),
                    samples,
                    ByteCount.of(decoder),
                    ByteCount.of(device.memory())));
        }
        long free = DeviceMemory.free(device).orElse(device.memory());
        if (bytes() > free) {
            throw new DeviceFullException(String.format(
                    "device %d (%s): %s needed (weights %s, denoiser %s for %d samples, decoder %s),"
                            + " %s of %s free: another program holds the rest; name other --devices or fewer"
                            + " --class-labels",
                    device.index(),
                    device.name(),
                    ByteCount.of(bytes()),
                    ByteCount.of(weights),
                    ByteCount.of(denoiser),
                    samples,
                    ByteCount.of(decoder),
                    ByteCount.of(free),
                    ByteCount.of(device.memory())));
        }
    }
}
