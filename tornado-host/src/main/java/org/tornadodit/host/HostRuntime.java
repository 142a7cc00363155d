package org.tornadodit.host;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.exceptions.TornadoDeviceNotFound;

/**
 * The host devices of this JVM, and how kernels run on them. TornadoVM's API reaches its runtime through static
 * methods, so there is one.
 *
 * <p>System properties, read once: {@code tornado.host.devices} (how many, 1), {@code tornado.device.memory} (of each,
 * "4GB", TornadoVM's own property and default), {@code tornado.host.order} ("forward" or "reverse", see {@link Order}).
 */
public final class HostRuntime {
    /** In which order the work items of a group take their turns. */
    public enum Order {
        /** From the first to the last. */
        FORWARD,
        /**
         * From the last to the first. A kernel without races gives the same values either way; running both finds most
         * missing barriers.
         */
        REVERSE
    }

    private static final Pattern SIZE = Pattern.compile("(\\d+)\\s*(B|KB|MB|GB)?");
    private static final HostRuntime INSTANCE = new HostRuntime();

    private final long memoryLimit;
    private final List<HostDevice> devices = new CopyOnWriteArrayList<>();
    private volatile Order order;

    private HostRuntime() {
        memoryLimit = parseSize(System.getProperty("tornado.device.memory", "4GB"));
        order = Order.valueOf(
                System.getProperty("tornado.host.order", "forward").toUpperCase(Locale.ROOT));
        setDeviceCount(Integer.getInteger("tornado.host.devices", 1));
    }

    /** The JVM's host runtime. Only meaningful where {@link #isActive()}. */
    public static HostRuntime get() {
        return INSTANCE;
    }

    /** False when TornadoVM's own classes are used, whose named module takes precedence over the class path. */
    public static boolean isActive() {
        return !TaskGraph.class.getModule().isNamed();
    }

    /** Makes it {@code count} devices; existing ones stay. */
    public void setDeviceCount(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("there has to be a device, not " + count);
        }
        while (devices.size() > count) {
            devices.removeLast();
        }
        while (devices.size() < count) {
            devices.add(new HostDevice(devices.size(), memoryLimit));
        }
    }

    /** As many new devices, as a new process finds them: without orders, and with all memory free. */
    public void renewDevices() {
        for (int i = 0; i < devices.size(); i++) {
            devices.set(i, new HostDevice(i, memoryLimit));
        }
    }

    public List<HostDevice> devices() {
        return List.copyOf(devices);
    }

    /** Device number {@code index}. */
    public HostDevice device(int index) {
        if (index < 0 || index >= devices.size()) {
            throw new TornadoDeviceNotFound("there is no host device " + index + ", there are " + devices.size());
        }
        return devices.get(index);
    }

    public Order order() {
        return order;
    }

    public void setOrder(Order order) {
        this.order = order;
    }

    /** Reads "512MB", "4GB", "1024". */
    static long parseSize(String text) {
        Matcher matcher = SIZE.matcher(text.strip().toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new IllegalArgumentException("a memory size is a number with B, KB, MB or GB, not " + text);
        }
        String unit = matcher.group(2) == null ? "B" : matcher.group(2);
        return Math.multiplyExact(
                Long.parseLong(matcher.group(1)),
                switch (unit) {
                    case "KB" -> 1L << 10;
                    case "MB" -> 1L << 20;
                    case "GB" -> 1L << 30;
                    default -> 1L;
                });
    }
}
