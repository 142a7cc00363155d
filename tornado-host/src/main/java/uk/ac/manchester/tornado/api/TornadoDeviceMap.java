package uk.ac.manchester.tornado.api;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Stream;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/** All backends and devices, and searches among them. */
public class TornadoDeviceMap {
    private final List<TornadoBackend> backends = new ArrayList<>();

    public TornadoDeviceMap() {
        TornadoRuntime runtime = TornadoRuntimeProvider.getTornadoRuntime();
        for (int i = 0; i < runtime.getNumBackends(); i++) {
            backends.add(runtime.getBackend(i));
        }
    }

    public int getNumBackends() {
        return backends.size();
    }

    public List<TornadoBackend> getAllBackends() {
        return backends;
    }

    public List<TornadoBackend> getBackendsWithPredicate(Predicate<? super TornadoBackend> predicate) {
        return backends.stream().filter(predicate).toList();
    }

    public List<TornadoBackend> getBackendsWithDevicePredicate(Predicate<? super TornadoDevice> predicate) {
        return backends.stream()
                .filter(backend -> backend.getAllDevices().stream().anyMatch(predicate))
                .toList();
    }

    /** Devices whose name contains {@code name}, whatever its case. */
    public Stream<TornadoDevice> getDevicesByName(String name) {
        String wanted = name.toLowerCase(Locale.ROOT);
        return devices()
                .filter(device ->
                        device.getDeviceName().toLowerCase(Locale.ROOT).contains(wanted));
    }

    public Stream<TornadoDevice> getDevicesByType(TornadoDeviceType type) {
        return devices().filter(device -> device.getDeviceType() == type);
    }

    private Stream<TornadoDevice> devices() {
        return backends.stream().flatMap(backend -> backend.getAllDevices().stream());
    }
}
