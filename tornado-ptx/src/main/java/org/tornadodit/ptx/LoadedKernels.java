package org.tornadodit.ptx;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import uk.ac.manchester.tornado.drivers.ptx.CUjitOption;
import uk.ac.manchester.tornado.drivers.ptx.PTXModule;

/** The kernels that a device has loaded, each once for all plans and tasks. */
final class LoadedKernels {

    /**
     * Of all devices: while a text is loaded for the first time, other devices wait for it, since the driver then has its
     * machine code on disk.
     */
    private static final Map<String, Object> LOADING = new ConcurrentHashMap<>();

    private final Map<String, Loaded> loaded = new HashMap<>();

    /** A kernel in a device's memory, until all plans that use it have given it back. */
    final class Loaded extends PTXModule {

        private final String ptx;
        private int users;

        private Loaded(KernelText text, int[] options, long[] values) {
            super(text.entry(), text.ptx().getBytes(StandardCharsets.UTF_8), text.entry(), options, values);
            this.ptx = text.ptx();
        }

        /** TornadoVM calls this when a plan is done with a task. */
        @Override
        public void unload() {
            synchronized (loaded) {
                if (--users > 0) {
                    return;
                }
                loaded.remove(ptx, this);
            }
            super.unload();
        }
    }

    /** One more use of a kernel that is loaded. */
    boolean use(KernelText text) {
        synchronized (loaded) {
            Loaded module = loaded.get(text.ptx());
            if (module == null) {
                return false;
            }
            module.users++;
            return true;
        }
    }

    /** A kernel of which {@link #use} or {@link #load} has told that it is loaded. */
    Loaded get(KernelText text) {
        synchronized (loaded) {
            Loaded module = loaded.get(text.ptx());
            if (module == null) {
                throw new IllegalStateException("kernel " + text.entry() + " is not loaded");
            }
            return module;
        }
    }

    /**
     * Loads a kernel for its first use, in the calling thread's context, or uses what another thread has loaded meanwhile.
     *
     * @param flags of the driver's compiler: names and numbers in turn, as TornadoVM has them
     * @throws IllegalStateException with the driver's words, when it refuses the text
     */
    void load(KernelText text, String flags, Optional<Modules> modules) {
        String[] words = flags.strip().split("\\s+");
        int[] options = new int[words.length / 2];
        long[] values = new long[words.length / 2];
        for (int i = 0; i < options.length; i++) {
            options[i] = CUjitOption.valueOf(words[2 * i]).getValue();
            values[i] = Long.parseLong(words[2 * i + 1]);
        }
        synchronized (LOADING.computeIfAbsent(text.ptx(), any -> new Object())) {
            if (use(text)) { // another plan of the device was first
                return;
            }
            Loaded module = new Loaded(text, options, values);
            complete(module, text, modules);
            module.users = 1;
            synchronized (loaded) {
                loaded.put(text.ptx(), module);
            }
        }
    }

    private static void complete(PTXModule module, KernelText text, Optional<Modules> modules) {
        if (modules.isPresent()) {
            modules.get().complete(module, text);
        } else if (text.marked() || !module.isPTXJITSuccess()) {
            throw new IllegalStateException("kernel " + text.entry() + " was refused by the driver");
        }
    }
}
