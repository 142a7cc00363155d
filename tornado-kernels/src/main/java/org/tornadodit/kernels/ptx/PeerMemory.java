package org.tornadodit.kernels.ptx;

import org.tornadodit.virtual.VirtualLink;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Memory of other devices, by address, and flags by which a device tells another that something has arrived. Addresses are 8
 * bytes at an even index of an int array: {@code slot} counts them. All else counts 4-byte elements; what is copied is 16
 * bytes, and indices are multiples of that.
 *
 * <p>A device reaches another's memory once {@link PeerAccess} has connected them.
 */
public final class PeerMemory {
    // Text up to the address of what is read in %pa, and from there to that of where it goes.
    private static final String FROM =
            "{ .reg .b64 %pa, %pb; .reg .b32 %pc, %pd, %pe, %pf; mul.wide.s32 %pa, $1, 8; add.s64 %pa, %pa, $0;"
                    + " ld.global.b64 %pa, [%pa+$H]; mul.wide.s32 %pb, $2, 4; add.s64 %pa, %pa, %pb;";

    private static final String TO = " mul.wide.s32 %pa, $3, 8; add.s64 %pa, %pa, $0; ld.global.b64 %pa, [%pa+$H];"
            + " mul.wide.s32 %pb, $4, 4; add.s64 %pa, %pa, %pb;";

    // Text up to the address of an element in %pa.
    private static final String AT = "{ .reg .b64 %pa, %pb; mul.wide.s32 %pb, $1, 8; add.s64 %pb, %pb, $0;"
            + " ld.global.b64 %pb, [%pb+$H]; mul.wide.s32 %pa, $2, 4; add.s64 %pa, %pa, %pb;";

    // Nobody writes addresses while a kernel runs: so one load serves all that follow.
    private static final String SEND1 = "{ .reg .b64 %pa, %pb; .reg .pred %pe; setp.lt.s32 %pe, $4, 0;"
            + " mul.wide.s32 %pb, $1, 8; add.s64 %pb, %pb, $0; ld.global.nc.b64 %pb, [%pb+$H];"
            + " mul.wide.s32 %pa, $2, 4; add.s64 %pa, %pa, %pb;";

    private PeerMemory() {}

    /** Writes the address of an array's first element. */
    @Instruction(
            value = "{ .reg .b64 %pa, %pb; add.s64 %pa, $0, $H; mul.wide.s32 %pb, $2, 8; add.s64 %pb, %pb, $1;"
                    + " st.global.b64 [%pb+$H], %pa; }",
            reads = 0,
            writes = 1)
    public static void publish(TornadoNativeArray array, IntArray addresses, int slot) {
        set(addresses, slot, VirtualLink.address(array));
    }

    /** 16 bytes from one of the device's arrays into another. */
    @Instruction(
            value = "{ .reg .b64 %pa, %pb; .reg .b32 %pc, %pd, %pe, %pf; mul.wide.s32 %pa, $1, 4; add.s64 %pa, %pa, $0;"
                    + " mul.wide.s32 %pb, $3, 4; add.s64 %pb, %pb, $2; ld.global.v4.b32 {%pc, %pd, %pe, %pf}, [%pa+$H];"
                    + " st.global.v4.b32 [%pb+$H], {%pc, %pd, %pe, %pf}; }",
            reads = 0,
            writes = 2)
    public static void copy4(TornadoNativeArray source, int from, TornadoNativeArray target, int to) {
        check(from, to);
        for (int i = 0; i < 4; i++) {
            VirtualLink.storeWord(target, to + i, VirtualLink.loadWord(source, from + i));
        }
    }

    /** 16 bytes from one of the device's arrays into the array at an address. */
    @Instruction(
            value = "{ .reg .b64 %pa, %pb; .reg .b32 %pc, %pd, %pe, %pf; mul.wide.s32 %pa, $1, 4; add.s64 %pa, %pa, $0;"
                    + " mul.wide.s32 %pb, $3, 8; add.s64 %pb, %pb, $2; ld.global.v4.b32 {%pc, %pd, %pe, %pf}, [%pa+$H];"
                    + " ld.global.b64 %pb, [%pb+$H]; mul.wide.s32 %pa, $4, 4; add.s64 %pa, %pa, %pb;"
                    + " st.global.v4.b32 [%pa], {%pc, %pd, %pe, %pf}; }",
            reads = 0)
    public static void send4(TornadoNativeArray source, int from, IntArray addresses, int slot, int to) {
        check(from, to);
        VirtualLink.store(
                get(addresses, slot),
                to,
                VirtualLink.loadWord(source, from),
                VirtualLink.loadWord(source, from + 1),
                VirtualLink.loadWord(source, from + 2),
                VirtualLink.loadWord(source, from + 3));
    }

    /** 16 bytes from the device's array at an address into the array at another. */
    @Instruction(
            value = FROM + " ld.global.v4.b32 {%pc, %pd, %pe, %pf}, [%pa];" + TO
                    + " st.global.v4.b32 [%pa], {%pc, %pd, %pe, %pf}; }",
            reads = 0)
    public static void move4(IntArray addresses, int fromSlot, int from, int toSlot, int to) {
        check(from, to);
        long source = get(addresses, fromSlot);
        VirtualLink.store(
                get(addresses, toSlot),
                to,
                VirtualLink.load(source, from),
                VirtualLink.load(source, from + 1),
                VirtualLink.load(source, from + 2),
                VirtualLink.load(source, from + 3));
    }

    /** As {@link #move4}, 4 bytes, from and to any index. */
    @Instruction(value = FROM + " ld.global.b32 %pc, [%pa];" + TO + " st.global.b32 [%pa], %pc; }", reads = 0)
    public static void move1(IntArray addresses, int fromSlot, int from, int toSlot, int to) {
        VirtualLink.store(get(addresses, toSlot), to, VirtualLink.load(get(addresses, fromSlot), from));
    }

    /**
     * Sets a flag in the array at an address, for who waits there to find all that the calling thread has sent, and all that
     * other threads have before a barrier that it has come from.
     */
    @Instruction(
            value = "{ .reg .b64 %pa, %pb; mul.wide.s32 %pb, $1, 8; add.s64 %pb, %pb, $0; ld.global.b64 %pb, [%pb+$H];"
                    + " mul.wide.s32 %pa, $2, 4; add.s64 %pa, %pa, %pb; fence.acq_rel.sys;"
                    + " st.release.sys.global.b32 [%pa], $3; }",
            reads = 0)
    public static void signal(IntArray addresses, int slot, int index, int value) {
        VirtualLink.signal(get(addresses, slot), index, value);
    }

    /**
     * Adds to a flag in the array at an address, for who waits there to find all that the calling thread has stored into the
     * array {@code landing}, and all that other threads have before a barrier that it has come from.
     */
    @Instruction(
            value = "{ .reg .b64 %pa, %pb; mul.wide.s32 %pb, $2, 8; add.s64 %pb, %pb, $0; ld.global.b64 %pb, [%pb+$H];"
                    + " mul.wide.s32 %pa, $3, 4; add.s64 %pa, %pa, %pb; fence.acq_rel.sys;"
                    + " red.relaxed.sys.global.add.u32 [%pa], $4; }",
            reads = 0)
    public static void add(IntArray addresses, int landing, int slot, int index, int value) {
        VirtualLink.add(get(addresses, landing), get(addresses, slot), index, value);
    }

    /** Has bulk copies behind this read what {@link #awaitAt} has waited for. */
    @Instruction("fence.proxy.async;")
    public static void fenceAsync() {
        // Copies of virtual devices read what is there.
    }

    /** What a group has stored by its address into an array of the device itself is there when the kernel has ended. */
    @Instruction("{ }")
    public static void keep(IntArray addresses, int landing) {
        VirtualLink.keep(get(addresses, landing));
    }

    /** 4 bytes into the array at an address, to any index, if {@code condition} is negative. */
    @Instruction(value = SEND1 + " @%pe st.global.b32 [%pa+$c2], $3; }", reads = 0)
    public static void sendIfNegative(IntArray addresses, int slot, int index, int x, int condition) {
        if (condition < 0) {
            VirtualLink.store(get(addresses, slot), index, x);
        }
    }

    /** The lower 16 bits of {@code x} into the lower or upper half of an element, likewise. */
    @Instruction(
            value = "{ .reg .b64 %pa, %pb; .reg .b16 %low, %high; .reg .pred %pe; setp.lt.s32 %pe, $5, 0;"
                    + " mul.wide.s32 %pb, $1, 8; add.s64 %pb, %pb, $0; ld.global.nc.b64 %pb, [%pb+$H];"
                    + " mul.wide.s32 %pa, $2, 4; add.s64 %pa, %pa, %pb; mul.wide.s32 %pb, $3, 2; add.s64 %pa, %pa, %pb;"
                    + " mov.b32 {%low, %high}, $4; @%pe st.global.b16 [%pa+$c2], %low; }",
            reads = 0)
    public static void sendHalfIfNegative(IntArray addresses, int slot, int index, int upper, int x, int condition) {
        if (condition < 0) {
            VirtualLink.storeHalf(get(addresses, slot), index, upper == 1, x);
        }
    }

    /** An int of the array at an address, which is the device's own. */
    @Instruction(value = AT + " ld.global.b32 $r, [%pa]; }", reads = 0)
    public static int load(IntArray addresses, int slot, int index) {
        return VirtualLink.load(get(addresses, slot), index);
    }

    /** Writes an int of it. */
    @Instruction(value = AT + " st.global.b32 [%pa], $3; }", reads = 0)
    public static void store(IntArray addresses, int slot, int index, int x) {
        VirtualLink.put(get(addresses, slot), index, x);
    }

    /**
     * Waits for a flag of the device's own to become a value or a greater one.
     *
     * @param seconds that it may take
     * @return 1 when it has; 0 when it has not come. Virtual devices throw instead
     */
    @Instruction(
            value = "{ .reg .b64 %pa, %pb, %pc, %pf; .reg .b32 %pd; .reg .pred %pe; mul.wide.s32 %pa, $1, 4;"
                    + " mul.wide.s32 %pf, $3, 1000000000; add.s64 %pa, %pa, $0; mov.u64 %pb, %globaltimer; $L_again:"
                    + " ld.acquire.sys.global.b32 %pd, [%pa+$H]; setp.ge.s32 %pe, %pd, $2; @%pe bra $L_done;"
                    + " mov.u64 %pc, %globaltimer; sub.u64 %pc, %pc, %pb; setp.lt.u64 %pe, %pc, %pf;"
                    + " @%pe bra $L_again; $L_done: setp.ge.s32 %pe, %pd, $2; selp.b32 $r, 1, 0, %pe; }",
            reads = 0)
    public static int await(IntArray flags, int index, int value, int seconds) {
        VirtualLink.await(flags, index, value);
        return 1;
    }

    /** 16 bytes from the host's memory at an address, into which other devices store, past caches, into one of the device's arrays. */
    @Instruction(
            value = "{ .reg .b64 %pa, %pb; .reg .b32 %pc, %pd, %pe, %pf; mul.wide.s32 %pa, $1, 8; add.s64 %pa, %pa, $0;"
                    + " ld.global.b64 %pa, [%pa+$H]; mul.wide.s32 %pb, $2, 4; add.s64 %pa, %pa, %pb;"
                    + " mul.wide.s32 %pb, $4, 4; add.s64 %pb, %pb, $3;"
                    + " ld.relaxed.sys.global.v4.b32 {%pc, %pd, %pe, %pf}, [%pa];"
                    + " st.global.v4.b32 [%pb+$H], {%pc, %pd, %pe, %pf}; }",
            reads = 0,
            writes = 3)
    public static void fetch4(IntArray addresses, int slot, int from, TornadoNativeArray target, int to) {
        check(from, to);
        long source = get(addresses, slot);
        for (int i = 0; i < 4; i++) {
            VirtualLink.storeWord(target, to + i, VirtualLink.fetch(source, from + i));
        }
    }

    /**
     * Waits for a flag in the array at an address, which others set for the device, to become a value or a greater one: one that
     * is counted beyond the largest int is greater.
     *
     * @param seconds that it may take
     * @return 1 when it has; 0 when it has not come. Virtual devices throw instead
     */
    @Instruction(
            value = "{ .reg .b64 %pa, %pb, %pc, %pf; .reg .b32 %pd; .reg .pred %pe; mul.wide.s32 %pb, $1, 8;"
                    + " add.s64 %pb, %pb, $0; ld.global.b64 %pb, [%pb+$H]; mul.wide.s32 %pa, $2, 4;"
                    + " mul.wide.s32 %pf, $4, 1000000000; add.s64 %pa, %pa, %pb; mov.u64 %pb, %globaltimer; $L_again:"
                    + " ld.acquire.sys.global.b32 %pd, [%pa]; sub.s32 %pd, %pd, $3; setp.ge.s32 %pe, %pd, 0; @%pe bra $L_done;"
                    + " mov.u64 %pc, %globaltimer; sub.u64 %pc, %pc, %pb; setp.lt.u64 %pe, %pc, %pf;"
                    + " @%pe bra $L_again; $L_done: setp.ge.s32 %pe, %pd, 0; selp.b32 $r, 1, 0, %pe; }",
            reads = 0)
    public static int awaitAt(IntArray addresses, int slot, int index, int value, int seconds) {
        VirtualLink.await(get(addresses, slot), index, value);
        return 1;
    }

    /** The address in a slot, as the host reads it. */
    public static long get(IntArray addresses, int slot) {
        return (addresses.get(2 * slot) & 0xffffffffL) | ((long) addresses.get(2 * slot + 1) << Integer.SIZE);
    }

    /** Writes an address into a slot, from the host. */
    public static void set(IntArray addresses, int slot, long address) {
        addresses.set(2 * slot, (int) address);
        addresses.set(2 * slot + 1, (int) (address >>> Integer.SIZE));
    }

    private static void check(int from, int to) {
        Alignment.check(from, 4);
        Alignment.check(to, 4);
    }
}
