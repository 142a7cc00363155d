package org.tornadodit.host;

import java.util.List;
import org.tornadodit.virtual.VirtualBackend;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoBackendNotFound;

/** The only backend there is without TornadoVM. */
public final class HostBackend implements TornadoBackend, VirtualBackend {
    /** The runtime, with this backend as number 0. */
    public static final TornadoRuntime RUNTIME = new Runtime(new HostBackend());

    private HostBackend() {}

    @Override
    public void setDeviceCount(int count) {
        HostRuntime.get().setDeviceCount(count);
    }

    @Override
    public TornadoDevice getDefaultDevice() {
        return HostRuntime.get().device(0);
    }

    @Override
    public void setDefaultDevice(int index) {
        if (index != 0) {
            throw new UnsupportedOperationException("tornado-host's default device is 0; use withDevice");
        }
    }

    @Override
    public int getNumDevices() {
        return HostRuntime.get().devices().size();
    }

    @Override
    public TornadoDevice getDevice(int index) {
        return HostRuntime.get().device(index);
    }

    @Override
    public List<TornadoDevice> getAllDevices() {
        return List.copyOf(HostRuntime.get().devices());
    }

    @Override
    public TornadoDeviceType getTypeDefaultDevice() {
        return getDefaultDevice().getDeviceType();
    }

    @Override
    public String getName() {
        return "tornado-host";
    }

    @Override
    public int getNumPlatforms() {
        return 1;
    }

    @Override
    public TornadoVMBackendType getBackendType() {
        return TornadoVMBackendType.JAVA;
    }

    private record Runtime(TornadoBackend backend) implements TornadoRuntime {
        @Override
        public TornadoBackend getBackend(int index) {
            if (index != 0) {
                throw new TornadoBackendNotFound("there is no backend " + index + ", tornado-host is the only one");
            }
            return backend;
        }

        @Override
        public void setDefaultBackend(int index) {
            getBackend(index);
        }

        @Override
        public TornadoVMBackendType getBackendType(int index) {
            return getBackend(index).getBackendType();
        }

        @Override
        public <D extends TornadoBackend> D getBackend(Class<D> type) {
            if (!type.isInstance(backend)) {
                throw new TornadoBackendNotFound(
                        "there is no " + type.getName() + ", tornado-host is the only backend");
            }
            return type.cast(backend);
        }

        @Override
        public int getNumBackends() {
            return 1;
        }

        @Override
        public TornadoDevice getDefaultDevice() {
            return backend.getDefaultDevice();
        }

        @Override
        public <D extends TornadoBackend> int getBackendIndex(Class<D> driverClass) {
            getBackend(driverClass);
            return 0;
        }

        @Override
        public boolean isProfilerEnabled() {
            return true;
        }
    }
}
