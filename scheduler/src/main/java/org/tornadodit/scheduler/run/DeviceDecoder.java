package org.tornadodit.scheduler.run;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.device.DeviceArrays;
import org.tornadodit.scheduler.device.DevicePlan;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.Startup;
import org.tornadodit.scheduler.graph.HostLanding;
import org.tornadodit.scheduler.graph.VaeBuffers;
import org.tornadodit.scheduler.graph.VaeGraphs;
import org.tornadodit.scheduler.plan.Part.Span;
import org.tornadodit.virtual.VirtualLink;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** The decoder of {@link TornadoEngine} on its device: of pictures by itself, or of own rows of those that a crew decodes together. */
final class DeviceDecoder implements AutoCloseable {
    private final ListedDevice device;
    private final DitConfig config;
    private final VaeConfig vaeConfig;
    private final VaeBuffers buffers;
    private final VaeGraphs graphs;
    private final DevicePlan plan;
    /** Address of the state of exchanges, where several devices decode a picture. */
    private volatile long stateAddress;
    /** Whether decoding has been recorded ahead, see {@link #record}. */
    private boolean recorded;

    /**
     * Begins to compile all kernels.
     *
     * @param prefix makes the graphs unique in the process
     */
    DeviceDecoder(
            ListedDevice device,
            String prefix,
            DitConfig config,
            VaeConfig vaeConfig,
            VaeWeights weights,
            VaeBuffers buffers,
            Startup startup) {
        this.device = device;
        this.config = config;
        this.vaeConfig = vaeConfig;
        this.buffers = buffers;
        buffers.describeExchanges(vaeConfig);
        GridScheduler grids = new GridScheduler();
        graphs = new VaeGraphs(prefix, vaeConfig, weights, buffers);
        plan = new DevicePlan(device, () -> graphs.build(grids), grids, startup);
    }

    /** Brings the weights into arrays on the device, once all kernels are compiled. */
    void load(Startup startup) {
        plan.finish();
        try (Startup.Running running = startup.begin(device.label(), "decoder's weights")) {
            graphs.load(plan);
        }
    }

    /** A first pass, whose numbers tell whether the device took the weights. */
    void warmUp() {
        float[] latent = new float[config.inputElements()];
        float[] pixels = isShared() ? decodeOwnRows(latent) : decode(latent, 1);
        ReturnedValues.requireFinite(
                pixels, pixels.length, () -> OverflowException.ofDecoder(OverflowException.IMAGES));
    }

    /** Whether {@link #decodeOwnRows} decodes, together with the crew's other devices. */
    boolean isShared() {
        return buffers.isDivided();
    }

    /** Has the device tell where its arrays are, for the others of its crew. */
    void findAddress() {
        if (isShared()) {
            stateAddress = Exchange.address(receivedState(graphs.decode(plan, 1)));
        }
    }

    /** As {@link TornadoEngine#abandonExchanges}. */
    void abandonExchanges() {
        VirtualLink.abandon(stateAddress);
    }

    /** Elements of the arrays that boxes come to; none where it decodes by itself. */
    int[] landingElements() {
        return buffers.landingElements();
    }

    /** Tells where another device of the crew, or this one, has its arrays. */
    void connect(int rank, DeviceDecoder other) {
        if (isShared()) {
            buffers.connect(rank, other.buffers.state());
        }
    }

    /** Likewise, where memory of the host stands for them. */
    void connectThroughHost(int rank, DeviceDecoder other, HostLanding landing) {
        if (isShared()) {
            buffers.connectThroughHost(rank, other.buffers, landing);
        }
    }

    /** Signals come to the host's memory. */
    void takeFlags(long address) {
        stateAddress = address;
        if (isShared()) {
            buffers.setFlags(address);
        }
    }

    /** Has the device record what decoding so many samples takes, once: others are recorded when they come again. */
    void record(int samples) {
        if (recorded) {
            return;
        }
        recorded = true;
        graphs.record(plan, Math.min(samples, buffers.count));
        if (samples > buffers.count && samples % buffers.count != 0) {
            graphs.record(plan, samples % buffers.count);
        }
    }

    /** As {@link org.tornadodit.scheduler.engine.Engine#decode} has it. */
    float[] decode(float[] latents, int samples) {
        int latent = config.inputElements();
        int side = config.inputSize() * vaeConfig.upsampling();
        int image = vaeConfig.outChannels() * side * side;
        ReturnedImages images = new ReturnedImages(buffers.images, Math.multiplyExact(samples, image));
        for (int first = 0; first < samples; first += buffers.count) {
            int count = Math.min(buffers.count, samples - first);
            MemorySegment.copy(
                    latents, first * latent, buffers.latents.getSegment(), ValueLayout.JAVA_FLOAT, 0, count * latent);
            graphs.decode(plan, count, images::awaitNext);
            requireDecoded();
            images.came(first * image, count * image);
        }
        return images.all();
    }

    /** Which pixels of each of a picture's channels {@link #decodeOwnRows} has. */
    Span ownPixels() {
        return buffers.ownPixels();
    }

    /** Makes ready {@link #decodeOwnRows}: see {@link DevicePlan#prepare}. */
    void prepareOwnRows() {
        graphs.prepare(plan, 1);
    }

    /**
     * Some rows of a picture, while the crew's other devices decode the others.
     *
     * @param latent of the picture
     * @return (channels, own rows, width)
     * @throws PeerLostException when another device did not send what it had to
     */
    float[] decodeOwnRows(float[] latent) {
        DeviceArrays.fill(buffers.latents, latent);
        ReturnedValues.spoilPages(buffers.images);
        PeerLostException.requireSignals(receivedState(graphs.decode(plan, 1)), Exchange.LEAST_PATIENCE);
        requireDecoded();
        Span there = buffers.imagePixels();
        float[] rows = new float[vaeConfig.outChannels() * there.count()];
        for (int channel = 0; channel < vaeConfig.outChannels(); channel++) {
            MemorySegment.copy(
                    buffers.images.getSegment(),
                    ValueLayout.JAVA_FLOAT,
                    ((long) channel * there.of() + there.first()) * Float.BYTES,
                    rows,
                    channel * there.count(),
                    there.count());
        }
        return rows;
    }

    private IntArray receivedState(TornadoExecutionResult result) {
        result.transferToHost(buffers.state());
        return buffers.state();
    }

    private void requireDecoded() {
        graphs.overflow().ifPresent(layer -> {
            throw new OverflowException(layer);
        });
    }

    /** Bytes that the plan holds on the device now. */
    long deviceBytes() {
        return plan.deviceBytes();
    }

    @Override
    public void close() {
        plan.close();
    }
}
