package org.tornadodit.kernels.ptx;

import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/** Where this package's interfaces are implemented: in the module tornado-ptx, which may be on the class path. */
final class PtxService {
    private PtxService() {}

    static <S> Optional<S> find(Class<S> service) {
        return ServiceLoader.load(service, service.getClassLoader()).findFirst();
    }

    /** For services that may say no for a device. */
    static <S> List<S> all(Class<S> service) {
        return ServiceLoader.load(service, service.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get)
                .toList();
    }
}
