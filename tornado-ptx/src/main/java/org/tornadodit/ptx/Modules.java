package org.tornadodit.ptx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import uk.ac.manchester.tornado.drivers.ptx.PTXCodeCache;
import uk.ac.manchester.tornado.drivers.ptx.PTXDeviceContext;
import uk.ac.manchester.tornado.drivers.ptx.PTXExecutionStreamSet;
import uk.ac.manchester.tornado.drivers.ptx.PTXModule;
import uk.ac.manchester.tornado.drivers.ptx.PTXStream;
import uk.ac.manchester.tornado.drivers.ptx.PTXStreamType;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXInstalledCode;

/**
 * A device's kernels with {@code //!} lines. Plans that {@link PlanCompiler} has seen get them with these lines at work.
 * When TornadoVM itself has loaded such a kernel, it is loaded a second time, and its module object gets the second handle.
 * That happens while the kernel is compiled, not at its first launch, which may be within the capture of a CUDA graph.
 */
final class Modules {

    private final Internals internals;
    private final Driver driver;
    private final Map<PTXModule, Integer> sharedBytes = Collections.synchronizedMap(new WeakHashMap<>());

    Modules(Internals internals, Driver driver) {
        this.internals = internals;
        this.driver = driver;
    }

    /** Bytes of dynamic shared memory that launches of a module need; 0 for most. */
    int sharedBytes(PTXModule module) {
        return sharedBytes.getOrDefault(module, 0);
    }

    /** The largest block that the kernel can have. */
    int maxThreads(PTXModule module) {
        String kernel = module.kernelFunctionName;
        return driver.maxThreads(kernel, driver.function(kernel, handle(module).getLong()));
    }

    /** The stream of a plan that uses one, once the plan has run something. */
    @SuppressWarnings("unchecked")
    Optional<LaunchStream> stream(PTXDeviceContext context, long plan) {
        Object set = ((Map<Long, PTXExecutionStreamSet>) internals.streamSets.get(internals.streamPool.get(context)))
                .get(plan);
        return set != null
                        && ((Map<PTXStreamType, PTXStream>) internals.roleStreams.get(set)).get(PTXStreamType.DEFAULT)
                                instanceof LaunchStream stream
                ? Optional.of(stream)
                : Optional.empty();
    }

    /** A map from plan to kernels, for TornadoVM, through which every kernel of a device passes. */
    Map<Long, PTXCodeCache> codeCaches(Map<Long, PTXCodeCache> old) {
        Map<Long, PTXCodeCache> caches = new ConcurrentHashMap<>() {
            @Override
            public PTXCodeCache put(Long plan, PTXCodeCache cache) {
                internals.cachedCode.set(cache, new Codes(Modules.this));
                return super.put(plan, cache);
            }
        };
        caches.putAll(old);
        return caches;
    }

    private static final class Codes extends ConcurrentHashMap<String, PTXInstalledCode> {

        private static final long serialVersionUID = 1;

        private final transient Modules modules;

        Codes(Modules modules) {
            this.modules = modules;
        }

        @Override
        public PTXInstalledCode put(String kernel, PTXInstalledCode code) {
            modules.prepare((PTXModule) modules.internals.installedModule.get(code));
            return super.put(kernel, code);
        }
    }

    private void prepare(PTXModule module) {
        String first = new String(module.getSource(), StandardCharsets.UTF_8);
        if (!SecondText.isNeeded(first)) {
            return;
        }
        String kernel = module.kernelFunctionName;
        SecondText text = SecondText.of(first);
        long second = driver.load(kernel, text.ptx());
        makeLaunchable(module, kernel, second, text.sharedBytes());
        driver.unload(kernel, handle(module).getLong());
        handle(module).putLong(second);
    }

    /**
     * Gives a module what TornadoVM does not: dynamic shared memory and a block size.
     *
     * @throws IllegalStateException with the driver's words, when it has refused the text
     */
    void complete(PTXModule module, KernelText text) {
        if (!module.isPTXJITSuccess()) {
            driver.unload(text.entry(), driver.load(text.entry(), text.ptx())); // throws, most likely
            throw new IllegalStateException("kernel " + text.entry() + " was refused by the driver, once");
        }
        if (!text.marked()) {
            return;
        }
        makeLaunchable(module, text.entry(), handle(module).getLong(), text.sharedBytes());
    }

    /** @param loaded handle of what the driver has loaded */
    private void makeLaunchable(PTXModule module, String kernel, long loaded, int bytes) {
        long function = driver.function(kernel, loaded);
        if (bytes > 0) {
            driver.allowSharedMemory(kernel, function, bytes);
        }
        internals.potentialBlockSize.set(module, driver.maxThreads(kernel, function));
        sharedBytes.put(module, bytes);
    }

    /** A module's handle as TornadoVM keeps it: eight bytes. */
    private static ByteBuffer handle(PTXModule module) {
        return ByteBuffer.wrap(module.moduleWrapper).order(ByteOrder.nativeOrder());
    }
}
