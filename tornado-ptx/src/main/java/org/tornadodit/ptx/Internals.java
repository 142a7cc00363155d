package org.tornadodit.ptx;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import uk.ac.manchester.tornado.drivers.common.utils.EventDescriptor;
import uk.ac.manchester.tornado.drivers.ptx.PTXCodeCache;
import uk.ac.manchester.tornado.drivers.ptx.PTXDevice;
import uk.ac.manchester.tornado.drivers.ptx.PTXDeviceContext;
import uk.ac.manchester.tornado.drivers.ptx.PTXExecutionStreamSet;
import uk.ac.manchester.tornado.drivers.ptx.PTXModule;
import uk.ac.manchester.tornado.drivers.ptx.PTXStream;
import uk.ac.manchester.tornado.drivers.ptx.PTXStreamPool;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXInstalledCode;

/** TornadoVM's private fields and methods that tornado-ptx reaches for: all of them are here. */
final class Internals {

    /** A private field. */
    record Member(Field field) {
        Object get(Object owner) {
            try {
                return field.get(owner);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }

        void set(Object owner, Object value) {
            try {
                field.set(owner, value);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    final Member version;
    final Member target;
    final Member codeCaches;
    final Member cachedCode;
    final Member installedModule;
    final Member potentialBlockSize;
    final Member streamPool;
    final Member streamSets;
    final Member roleStreams;
    final Member computeStreams;
    final MethodHandle launchKernel;
    final MethodHandle registerEvent;

    /** @throws ReflectiveOperationException when this is not the TornadoVM that we know */
    Internals() throws ReflectiveOperationException {
        version = member(PTXDevice.class, "ptxVersion");
        target = member(PTXDevice.class, "targetArchitecture");
        codeCaches = member(PTXDeviceContext.class, "codeCache");
        cachedCode = member(PTXCodeCache.class, "cache");
        installedModule = member(PTXInstalledCode.class, "module");
        potentialBlockSize = member(PTXModule.class, "maxBlockSize");
        streamPool = member(PTXDeviceContext.class, "streamPool");
        streamSets = member(PTXStreamPool.class, "streamSets");
        roleStreams = member(PTXExecutionStreamSet.class, "streams");
        computeStreams = member(PTXExecutionStreamSet.class, "computeStreams");
        MethodHandles.Lookup stream = MethodHandles.privateLookupIn(PTXStream.class, MethodHandles.lookup());
        launchKernel = stream.findStatic(
                PTXStream.class,
                "cuLaunchKernel",
                MethodType.methodType(
                        byte[][].class,
                        byte[].class,
                        String.class,
                        int.class,
                        int.class,
                        int.class,
                        int.class,
                        int.class,
                        int.class,
                        long.class,
                        byte[].class,
                        byte[].class));
        registerEvent = stream.findVirtual(
                PTXStream.class,
                "registerEvent",
                MethodType.methodType(int.class, byte[][].class, EventDescriptor.class));
    }

    private static Member member(Class<?> owner, String name) throws NoSuchFieldException {
        Field field = owner.getDeclaredField(name);
        field.setAccessible(true);
        return new Member(field);
    }
}
