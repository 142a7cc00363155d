package org.tornadodit.kernels.ptx;

import java.util.Arrays;
import org.tornadodit.virtual.WorkItem;

/** Exchange among the 32 lanes of a warp, and barriers of some of a block's warps. All lanes take part. */
public final class Warp {

    private Warp() {}

    /** The value of the lane whose number differs in the bits of {@code mask}, a constant. */
    @Instruction("shfl.sync.bfly.b32 $r, $0, $1, 31, 0xffffffff;")
    public static float shuffleXor(float value, int mask) {
        return (float) WorkItem.current().exchange(value, "shfl.bfly " + mask, lanes -> crossed(lanes, mask));
    }

    /** As {@link #shuffleXor(float, int)}. */
    @Instruction("shfl.sync.bfly.b32 $r, $0, $1, 31, 0xffffffff;")
    public static int shuffleXor(int value, int mask) {
        return (int) WorkItem.current().exchange(value, "shfl.bfly " + mask, lanes -> crossed(lanes, mask));
    }

    /** 1 where any lane's value is the limit or more, or NaN, else 0. */
    @Instruction(
            "{ .reg .pred %p; setp.geu.f32 %p, $0, $1; vote.sync.any.pred %p, %p, 0xffffffff; selp.s32 $r, 1, 0, %p; }")
    public static int anyNotBelow(float value, float limit) {
        return (int) WorkItem.current().exchange(!(value < limit), "vote.any", Warp::any);
    }

    private static Object[] any(Object[] lanes) {
        Object[] any = new Object[lanes.length];
        Arrays.fill(any, Arrays.asList(lanes).contains(true) ? 1 : 0);
        return any;
    }

    /**
     * 1 in one lane, 0 in the others. Of a branch on it the assembler knows that one thread takes it, and that thread's addresses are the
     * warp's: it starts copies sooner than behind a question for a thread's number.
     */
    @Instruction("{ .reg .pred %p; elect.sync _|%p, 0xffffffff; selp.s32 $r, 1, 0, %p; }")
    public static int elect() {
        return (int) WorkItem.current().exchange(0, "elect.sync", Warp::elected);
    }

    private static Object[] elected(Object[] lanes) {
        Object[] elected = new Object[lanes.length];
        Arrays.fill(elected, 0);
        elected[0] = 1;
        return elected;
    }

    /** The value of another lane, each lane's choice. */
    @Instruction("shfl.sync.idx.b32 $r, $0, $1, 31, 0xffffffff;")
    public static float shuffle(float value, int lane) {
        return (float) WorkItem.current().exchange(new Choice(value, lane), "shfl.idx", Warp::chosen);
    }

    /** What a lane gives, and whose value it takes. */
    private record Choice(float value, int lane) {}

    private static Object[] chosen(Object[] lanes) {
        Object[] chosen = new Object[lanes.length];
        for (int i = 0; i < lanes.length; i++) {
            chosen[i] = ((Choice) lanes[((Choice) lanes[i]).lane]).value;
        }
        return chosen;
    }

    private static Object[] crossed(Object[] lanes, int mask) {
        Object[] crossed = new Object[lanes.length];
        for (int i = 0; i < lanes.length; i++) {
            crossed[i] = lanes[i ^ mask];
        }
        return crossed;
    }

    /**
     * Waits for the other lanes. The assembler moves no access to shared memory across it: a way to keep operands from
     * being read so early that registers run out.
     */
    @Instruction("bar.warp.sync 0xffffffff;")
    public static void sync() {
        WorkItem.current().exchange(0, "bar.warp.sync", lanes -> lanes);
    }

    /** Waits until {@code threads} threads, whole warps, have come to barrier {@code id}, 1 to 15; both constant. */
    @Instruction("bar.sync $0, $1;")
    public static void barrier(int id, int threads) {
        WorkItem item = WorkItem.current();
        BlockState.of(item).namedBarrier(id).await(item, threads);
    }
}
