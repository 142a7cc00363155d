package org.tornadodit.virtual;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Peer access between virtual devices, or the host's memory between those that have none, stricter than a GPU's: what a work group stores into another device's array is under
 * way until the group signals, and arrives when a work item of that device waits for the signal. Who does not wait finds what
 * was there before: NaN in an array that nobody has written. What has been read of the host's memory is NaN again.
 *
 * <p>Who waits for a signal that does not come gets an error with the names of all who wait.
 */
public final class VirtualLink {
    private static final int ADDRESS_BITS = 40;

    /** How long a signal may take: other devices are threads of a machine that may be busy. */
    private static final long PATIENCE_MILLIS = 120_000;

    private static final Object LOCK = new Object();
    private static final Map<Long, WeakReference<TornadoNativeArray>> ARRAYS = new HashMap<>();
    private static final Map<Flag, List<Store>> UNDER_WAY = new HashMap<>();
    private static final Set<Waits> WAITING = new LinkedHashSet<>();
    private static final Set<Long> ABANDONED = new HashSet<>();
    private static final Map<Long, Long> STORED = new HashMap<>();
    /** What devices without peer access share, until it is given back. */
    private static final Set<IntArray> HOST_MEMORY = Collections.newSetFromMap(new IdentityHashMap<>());

    /** NaN as a float, and as two halves. */
    private static final int NOTHING = 0x7fff7fff;

    private static final int ALL = -1;

    private static boolean peerAccess = true;
    private static long hostMemoryLimit = Long.MAX_VALUE;
    private static long lastAddress;
    private static long patience = PATIENCE_MILLIS;

    private VirtualLink() {}

    /** An int of an array that a device waits for. */
    private record Flag(long array, int index) {}

    /** @param bits of the word that are stored */
    private record Store(long address, TornadoNativeArray target, int index, int word, int bits) {
        void arrive() {
            storeWord(target, index, bits == ALL ? word : (loadWord(target, index) & ~bits) | (word & bits));
        }

        long bytes() {
            return Integer.bitCount(bits) / Byte.SIZE;
        }
    }

    /** What a work group has stored and not signalled. */
    private static final class Stores implements GroupState {
        private final List<Store> stores = new ArrayList<>();

        @Override
        public void finish() {
            if (!stores.isEmpty()) {
                throw new TornadoRuntimeException(
                        stores.size() + " words were stored into another device's array and never signalled");
            }
        }
    }

    /** By which other devices know a device's array, of FloatArray or IntArray: to be called on the device. */
    public static long address(TornadoNativeArray array) {
        synchronized (LOCK) {
            ARRAYS.values().removeIf(known -> known.get() == null);
            for (Map.Entry<Long, WeakReference<TornadoNativeArray>> known : ARRAYS.entrySet()) {
                if (known.getValue().get() == array) {
                    return known.getKey();
                }
            }
            lastAddress += 1L << ADDRESS_BITS;
            ARRAYS.put(lastAddress, new WeakReference<>(array));
            return lastAddress;
        }
    }

    /** The bits of an element of the array at an address, which is the calling device's own. */
    public static int load(long address, int index) {
        TornadoNativeArray source = array(address);
        if (index < 0 || index >= source.getSize()) {
            throw new TornadoRuntimeException("a load at %d of an array of %d".formatted(index, source.getSize()));
        }
        return loadWord(source, index);
    }

    /**
     * The bits of an element.
     *
     * @throws IllegalArgumentException for an array of neither ints nor floats
     */
    public static int loadWord(TornadoNativeArray array, int index) {
        return switch (array) {
            case IntArray ints -> ints.get(index);
            case FloatArray floats -> Float.floatToRawIntBits(floats.get(index));
            default -> throw neither(array);
        };
    }

    /** Sets the bits of an element; as {@link #loadWord}. */
    public static void storeWord(TornadoNativeArray array, int index, int word) {
        switch (array) {
            case IntArray ints -> ints.set(index, word);
            case FloatArray floats -> floats.set(index, Float.intBitsToFloat(word));
            default -> throw neither(array);
        }
    }

    private static IllegalArgumentException neither(TornadoNativeArray array) {
        return new IllegalArgumentException(array.getClass().getSimpleName() + " has neither ints nor floats");
    }

    /** Writes an int of an array that is the calling device's own. */
    public static void put(long address, int index, int word) {
        ((IntArray) array(address)).set(index, word);
    }

    /** Whether devices reach each other's memory: they do unless a test says otherwise. */
    public static boolean peerAccess() {
        synchronized (LOCK) {
            return peerAccess;
        }
    }

    /** Sets whether devices reach each other's memory. */
    public static void setPeerAccess(boolean access) {
        synchronized (LOCK) {
            peerAccess = access;
        }
    }

    /** Sets how many bytes of the host's memory can be had at once. */
    public static void setHostMemoryLimit(long bytes) {
        synchronized (LOCK) {
            hostMemoryLimit = bytes;
        }
    }

    /**
     * Memory of the host that all devices reach, for 4-byte elements.
     *
     * @throws IllegalStateException when there is no more
     */
    public static IntArray hostMemory(int elements) {
        synchronized (LOCK) {
            if (hostMemoryBytes() + (long) Integer.BYTES * elements > hostMemoryLimit) {
                throw new IllegalStateException(
                        "%d bytes of the host's memory are not to be had".formatted((long) Integer.BYTES * elements));
            }
            IntArray memory = new IntArray(elements);
            memory.init(NOTHING);
            HOST_MEMORY.add(memory);
            return memory;
        }
    }

    /** Bytes of the host's memory that are held. */
    public static long hostMemoryBytes() {
        synchronized (LOCK) {
            return HOST_MEMORY.stream()
                    .mapToLong(memory -> (long) Integer.BYTES * memory.getSize())
                    .sum();
        }
    }

    /** Gives memory of the host back; who uses it later gets an error. */
    public static void releaseHostMemory(IntArray memory) {
        synchronized (LOCK) {
            HOST_MEMORY.remove(memory);
            ARRAYS.values().removeIf(known -> known.get() == memory);
        }
    }

    /** A word that has come into the host's memory, once. */
    public static int fetch(long address, int index) {
        TornadoNativeArray source = array(address);
        synchronized (LOCK) {
            if (!(source instanceof IntArray memory) || !HOST_MEMORY.contains(memory)) {
                if (peerAccess) {
                    return load(address, index); // of the device's own, that stands for the host's
                }
                throw new TornadoRuntimeException("a load from the memory of another device");
            }
            int word = memory.get(index);
            memory.set(index, NOTHING);
            return word;
        }
    }

    /** Stores words from an index on into the array of another device, for the calling work item. */
    public static void store(long address, int index, int... words) {
        TornadoNativeArray target = target(address, index, words.length);
        List<Store> stores = WorkItem.current().groupState(Stores.class, Stores::new).stores;
        for (int i = 0; i < words.length; i++) {
            stores.add(new Store(address, target, index + i, words[i], ALL));
        }
    }

    /** Stores the lower half of a word, or the upper one, likewise. */
    public static void storeHalf(long address, int index, boolean upper, int half) {
        TornadoNativeArray target = target(address, index, 1);
        int shift = upper ? Short.SIZE : 0;
        WorkItem.current()
                .groupState(Stores.class, Stores::new)
                .stores
                .add(new Store(address, target, index, half << shift, 0xffff << shift));
    }

    /** Where words may be stored. */
    private static TornadoNativeArray target(long address, int index, int words) {
        TornadoNativeArray target = array(address);
        synchronized (LOCK) {
            if (!peerAccess && !(target instanceof IntArray memory && HOST_MEMORY.contains(memory))) {
                throw new TornadoRuntimeException("a store into the memory of another device, without peer access");
            }
        }
        if (index < 0 || index + words > target.getSize()) {
            throw new TornadoRuntimeException("a store of %d words at %d into an array of %d of another device"
                    .formatted(words, index, target.getSize()));
        }
        return target;
    }

    /** Sets a flag of another device, behind all that the calling work item's group has stored. */
    public static void signal(long address, int index, int value) {
        target(address, index, 1);
        List<Store> own = WorkItem.current().groupState(Stores.class, Stores::new).stores;
        synchronized (LOCK) {
            ((IntArray) array(address)).set(index, value);
            underWay(new Flag(address, index), own);
        }
        own.clear();
    }

    /**
     * Adds to a flag of another device, behind all that the calling work item's group has stored into one of that device's arrays.
     *
     * @param landing of that array
     */
    public static void add(long landing, long address, int index, int value) {
        target(address, index, 1);
        List<Store> all = WorkItem.current().groupState(Stores.class, Stores::new).stores;
        List<Store> own = taken(all, landing);
        synchronized (LOCK) {
            IntArray flags = (IntArray) array(address);
            flags.set(index, flags.get(index) + value);
            underWay(new Flag(address, index), own);
        }
    }

    /** What the calling work item's group has stored by its address into an array of its own device is there. */
    public static void keep(long landing) {
        List<Store> all = WorkItem.current().groupState(Stores.class, Stores::new).stores;
        taken(all, landing).forEach(Store::arrive);
    }

    private static List<Store> taken(List<Store> all, long landing) {
        List<Store> own = all.stream().filter(each -> each.address == landing).toList();
        all.removeIf(each -> each.address == landing);
        return own;
    }

    private static void underWay(Flag flag, List<Store> stores) {
        UNDER_WAY.computeIfAbsent(flag, any -> new ArrayList<>()).addAll(stores);
        stores.forEach(each -> STORED.merge(each.address, each.bytes(), Long::sum));
        LOCK.notifyAll();
    }

    /**
     * Waits for a flag of the device's own to have a value or a greater one; what was stored before is there then.
     *
     * @throws TornadoRuntimeException when it does not come
     */
    public static void await(IntArray flags, int index, int value) {
        await(address(flags), index, value);
    }

    /** Likewise, for a flag in the array at an address, which others set for the device. */
    public static void await(long address, int index, int value) {
        Wait wait = new Wait(WorkItem.current(), (IntArray) array(address), new Flag(address, index), value);
        if (!wait.isOver()) {
            Waits waits = WorkItem.current().groupState(Waits.class, Waits::new);
            waits.all.add(wait);
            WorkItem.current().await(wait::isOver, () -> "a signal from another device");
            waits.all.remove(wait);
        }
        synchronized (LOCK) {
            // Before any other that waits for this flag goes on.
            List<Store> arrived = UNDER_WAY.remove(wait.flag());
            if (arrived != null) {
                arrived.forEach(Store::arrive);
            }
        }
    }

    private record Wait(WorkItem who, IntArray flags, Flag flag, int value) {
        boolean isOver() {
            synchronized (LOCK) {
                return flags.get(flag.index()) - value >= 0; // counted beyond the largest int too
            }
        }

        @Override
        public String toString() {
            return "%s waits for %d in flag %d, which is %d"
                    .formatted(who, value, flag.index(), flags.get(flag.index()));
        }
    }

    /** What work items of a group wait for. */
    private static final class Waits implements GroupState {
        private final List<Wait> all = new ArrayList<>();

        @Override
        public boolean awaitOthers() {
            if (all.isEmpty()) {
                return false;
            }
            synchronized (LOCK) {
                WAITING.add(this);
                try {
                    awaitLocked();
                    return true;
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new TornadoRuntimeException("interrupted while waiting for another device");
                } finally {
                    WAITING.remove(this);
                }
            }
        }

        /** Until one of them is over. */
        private void awaitLocked() throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(patience);
            while (all.stream().noneMatch(Wait::isOver)) {
                if (all.stream().anyMatch(wait -> ABANDONED.contains(wait.flag().array()))) {
                    throw new TornadoRuntimeException("no signal from another device, which failed");
                }
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (left <= 0) {
                    throw new TornadoRuntimeException("no signal from another device for %d ms: %s"
                            .formatted(
                                    patience,
                                    WAITING.stream()
                                            .flatMap(waits -> waits.all.stream())
                                            .map(Wait::toString)
                                            .collect(Collectors.joining("; "))));
                }
                LOCK.wait(left);
            }
        }
    }

    /** Has who waits for flags of an array, now or later, wait no longer: another device has failed. */
    public static void abandon(long address) {
        synchronized (LOCK) {
            ABANDONED.add(address);
            LOCK.notifyAll();
        }
    }

    /** Bytes that other devices have stored into an array since it has its address. */
    public static long storedBytes(long address) {
        synchronized (LOCK) {
            return STORED.getOrDefault(address, 0L);
        }
    }

    /** Sets how long a signal may take; null for as long as by default. */
    public static void setPatience(@Nullable Long millis) {
        synchronized (LOCK) {
            patience = millis == null ? PATIENCE_MILLIS : millis;
            LOCK.notifyAll();
        }
    }

    private static TornadoNativeArray array(long address) {
        synchronized (LOCK) {
            WeakReference<TornadoNativeArray> known = ARRAYS.get(address);
            TornadoNativeArray array = known == null ? null : known.get();
            if (array == null) {
                throw new TornadoRuntimeException("no array of a device has the address " + address);
            }
            return array;
        }
    }
}
