package org.tornadodit.kernels.ptx;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of one block's shared memory on the host. Addresses begin at {@link #BASE}, as on Hopper, so that zero is
 * none. What nobody has written, and what a copy under way will write, is NaN as a float and as a half.
 */
final class SharedMemoryBytes {
    /** Most bytes that a kernel declares itself. */
    static final int LIMIT_FIXED = 48 * 1024;

    /** Most bytes of a block on Hopper, given at launch. */
    static final int LIMIT_DYNAMIC = 227 * 1024;

    /** First address, aligned for everything. */
    static final int BASE = 1024;

    private static final byte POISON = (byte) 0xFF;
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private byte[] bytes = new byte[0];
    private @Nullable BarrierState[] barriers = new BarrierState[0];
    /** Words from the first barrier to the last. */
    private int firstBarrier = Integer.MAX_VALUE;

    private int lastBarrier = -1;
    private final int threads;
    private OrdinaryWrites writes;
    private String allocation = "";

    SharedMemoryBytes(int threads) {
        this.threads = threads;
        this.writes = new OrdinaryWrites(0, threads);
    }

    /** Address of the block's memory: every thread makes the same call. */
    int allocate(String method, int size, int limit) {
        String call = "SharedMemory." + method + "(" + size + ")";
        if (size < 1 || size > limit) {
            throw new IllegalArgumentException(call + ": a block has 1 to " + limit + " bytes of this kind");
        }
        if (allocation.isEmpty()) {
            allocation = call;
            bytes = new byte[size];
            Arrays.fill(bytes, POISON);
            barriers = new BarrierState[(size + 7) / 8];
            writes = new OrdinaryWrites(size, threads);
        } else if (!allocation.equals(call)) {
            throw new IllegalStateException(
                    call + ", but " + allocation + " before: a kernel makes one such call, the same in all threads");
        }
        return BASE;
    }

    int getInt(int address) {
        return (int) INT.get(bytes, offset(address, 4, 4));
    }

    /** Stores an int as {@code thread}. */
    void setInt(int address, int value, int thread) {
        int start = offset(address, 4, 4);
        INT.set(bytes, start, value);
        writes.write(start, 4, thread);
    }

    /** Checks that {@code length} bytes from {@code address} on are ordinary memory. */
    void check(int address, int length, int alignment) {
        offset(address, length, alignment);
    }

    /** The copy begins: its target is undefined. */
    void begin(AsyncCopy copy) {
        int start = offset(copy.address(), copy.length(), 16);
        Arrays.fill(bytes, start, start + copy.length(), POISON);
    }

    /** The copy ends. */
    void end(AsyncCopy copy) {
        int start = offset(copy.address(), copy.length(), 16);
        if (copy.bytes() > 0) {
            MemorySegment.copy(copy.source(), ValueLayout.JAVA_BYTE, copy.from(), bytes, start, copy.bytes());
        }
        Arrays.fill(bytes, start + copy.bytes(), start + copy.length(), (byte) 0);
        if (copy.thread() == AsyncCopy.BULK) {
            writes.erase(start, copy.length());
        } else {
            writes.write(start, copy.length(), copy.thread());
        }
    }

    /** The thread makes what it sees visible to wgmma. */
    void fence(int thread) {
        writes.fence(thread);
    }

    /** Whether the thread has fenced after {@code time}, which {@link #latestUnfenced} gave. */
    boolean isFenced(int thread, int time) {
        return writes.isFenced(thread, time);
    }

    /** Time of the latest ordinary write to {@code length} bytes at {@code address} that its thread did not fence; 0 without. */
    int latestUnfenced(int address, int length) {
        return writes.latestUnfenced(offset(address, length, 16), length);
    }

    /** The 8x8 matrix of halves at {@code address}, row r in elements {@code at + r stride} and following. */
    void getMatrix(int address, float[] matrix, int at, int stride) {
        int start = offset(address, 128, 16);
        for (int i = 0; i < 64; i += 4) {
            long four = (long) LONG.get(bytes, start + 2 * i);
            int to = at + i / 8 * stride + i % 8;
            matrix[to] = Float.float16ToFloat((short) four);
            matrix[to + 1] = Float.float16ToFloat((short) (four >> 16));
            matrix[to + 2] = Float.float16ToFloat((short) (four >> 32));
            matrix[to + 3] = Float.float16ToFloat((short) (four >> 48));
        }
    }

    /** The matrix of 8 rows of 16 {@link Float8} at {@code address}, row r in elements {@code at + r stride} and following. */
    void getBytes(int address, float[] matrix, int at, int stride) {
        int start = offset(address, 128, 16);
        for (int i = 0; i < 128; i++) {
            matrix[at + i / 16 * stride + i % 16] = Float8.value(bytes[start + i]);
        }
    }

    /** A fingerprint of {@code length} bytes at {@code address}, on top of {@code seed}. */
    long fingerprint(int address, int length, long seed) {
        int start = offset(address, length, 16);
        long hash = seed;
        for (int i = 0; i < length; i += 8) {
            hash = (hash ^ (long) LONG.get(bytes, start + i)) * 0x9E3779B97F4A7C15L;
            hash ^= hash >>> 29;
        }
        return hash;
    }

    /** The mbarrier at {@code address}. */
    BarrierState barrier(int address) {
        BarrierState barrier = barriers[barrierWord(address)];
        if (barrier == null) {
            throw new IllegalStateException("there is no initialised mbarrier at address " + address);
        }
        return barrier;
    }

    void setBarrier(int address, BarrierState barrier) {
        int word = barrierWord(address);
        if (barriers[word] != null) {
            throw new IllegalStateException("the mbarrier at address " + address + " is initialised a second time");
        }
        barriers[word] = barrier;
        firstBarrier = Math.min(firstBarrier, word);
        lastBarrier = Math.max(lastBarrier, word);
    }

    private int barrierWord(int address) {
        checkRange(address, 8, 8);
        return (address - BASE) / 8;
    }

    private int offset(int address, int length, int alignment) {
        checkRange(address, length, alignment);
        int start = address - BASE;
        int end = Math.min(lastBarrier, (start + length + 7) / 8 - 1);
        for (int word = Math.max(firstBarrier, start / 8); word <= end; word++) {
            if (barriers[word] != null) {
                throw new IllegalStateException("access to " + length + " bytes at address " + address
                        + ", where the mbarrier at " + (BASE + word * 8) + " lies");
            }
        }
        return start;
    }

    private void checkRange(int address, int length, int alignment) {
        if (address % alignment != 0) {
            throw new IllegalArgumentException(
                    "misaligned access: shared memory address " + address + " is not a multiple of " + alignment);
        }
        if (address < BASE || length < 0 || address - BASE > bytes.length - length) {
            throw new IndexOutOfBoundsException(length + " bytes at shared memory address " + address
                    + " are outside the block's " + bytes.length + " bytes from " + BASE + " on");
        }
    }
}
