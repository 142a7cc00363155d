package uk.ac.manchester.tornado.api;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.tornadodit.host.ArrayAccess;
import org.tornadodit.virtual.WorkItem;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.DoubleArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.LongArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * What a kernel knows of the work item it runs as, and what it can do with the others of its group.
 *
 * <p>The instance that a task is given stands for all of them: every work item sees its own. A method called with such
 * an instance outside a task graph is the only work item of a group of one.
 */
public class KernelContext {
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final VarHandle FLOAT = ValueLayout.JAVA_FLOAT.varHandle();
    private static final VarHandle DOUBLE = ValueLayout.JAVA_DOUBLE.varHandle();

    /** Index of the work item in the whole grid. */
    public final Integer globalIdx;

    public final Integer globalIdy;
    public final Integer globalIdz;

    /** Index of its group. */
    public final Integer groupIdx;

    public final Integer groupIdy;
    public final Integer groupIdz;

    /** Index of the work item in its group. */
    public final Integer localIdx;

    public final Integer localIdy;
    public final Integer localIdz;

    /** Number of work items in the whole grid. */
    public final Integer globalGroupSizeX;

    public final Integer globalGroupSizeY;
    public final Integer globalGroupSizeZ;

    /** Number of work items in a group. */
    public final Integer localGroupSizeX;

    public final Integer localGroupSizeY;
    public final Integer localGroupSizeZ;

    private final WorkItem item;

    /** The argument to give to tasks. */
    public KernelContext() {
        item = null;
        globalIdx = 0;
        globalIdy = 0;
        globalIdz = 0;
        groupIdx = 0;
        groupIdy = 0;
        groupIdz = 0;
        localIdx = 0;
        localIdy = 0;
        localIdz = 0;
        globalGroupSizeX = 0;
        globalGroupSizeY = 0;
        globalGroupSizeZ = 0;
        localGroupSizeX = 0;
        localGroupSizeY = 0;
        localGroupSizeZ = 0;
    }

    KernelContext(WorkItem item) {
        this.item = item;
        globalIdx = item.globalId(0);
        globalIdy = item.globalId(1);
        globalIdz = item.globalId(2);
        groupIdx = item.groupId(0);
        groupIdy = item.groupId(1);
        groupIdz = item.groupId(2);
        localIdx = item.localId(0);
        localIdy = item.localId(1);
        localIdz = item.localId(2);
        globalGroupSizeX = item.globalSize(0);
        globalGroupSizeY = item.globalSize(1);
        globalGroupSizeZ = item.globalSize(2);
        localGroupSizeX = item.localSize(0);
        localGroupSizeY = item.localSize(1);
        localGroupSizeZ = item.localSize(2);
    }

    /** Waits for the group; what was written to local memory before is then seen by all of it. */
    public void localBarrier() {
        if (item != null) {
            item.barrier();
        }
    }

    /** Waits for the group (not for the grid); what was written to global memory before is then seen by all of it. */
    public void globalBarrier() {
        localBarrier();
    }

    /** The group's array of that many ints, contents undefined. */
    public int[] allocateIntLocalArray(int size) {
        return item == null ? new int[size] : (int[]) item.localArray(int.class, size, Integer.BYTES);
    }

    /** The group's array of that many bytes, contents undefined. */
    public byte[] allocateByteLocalArray(int size) {
        return item == null ? new byte[size] : (byte[]) item.localArray(byte.class, size, Byte.BYTES);
    }

    /** The group's array of that many halves, contents undefined. */
    public HalfFloat[] allocateHalfFloatLocalArray(int size) {
        return item == null ? new HalfFloat[size] : (HalfFloat[]) item.localArray(HalfFloat.class, size, Short.BYTES);
    }

    /** The group's array of that many longs, contents undefined. */
    public long[] allocateLongLocalArray(int size) {
        return item == null ? new long[size] : (long[]) item.localArray(long.class, size, Long.BYTES);
    }

    /** The group's array of that many floats, contents undefined. */
    public float[] allocateFloatLocalArray(int size) {
        return item == null ? new float[size] : (float[]) item.localArray(float.class, size, Float.BYTES);
    }

    /** The group's array of that many doubles, contents undefined. */
    public double[] allocateDoubleLocalArray(int size) {
        return item == null ? new double[size] : (double[]) item.localArray(double.class, size, Double.BYTES);
    }

    /** The sum over the 32 lanes of the warp, added as a tree of halves. All lanes have to call it. */
    public float simdSum(float val) {
        return item == null ? val : (float) item.exchange(val, "simdSum", KernelContext::sum);
    }

    /** The value of the lane {@code delta} further on; lanes without one keep their own. All lanes have to call it. */
    public float simdShuffleDown(float val, int delta) {
        return item == null ? val : (float) item.exchange(val, delta, lanes -> down(lanes, delta));
    }

    /** The value of lane 0. All lanes have to call it. */
    public float simdBroadcastFirst(float val) {
        return item == null ? val : (float) item.exchange(val, "simdBroadcastFirst", KernelContext::first);
    }

    private static Object[] sum(Object[] lanes) {
        for (int step = lanes.length / 2; step > 0; step /= 2) {
            for (int i = 0; i < step; i++) {
                lanes[i] = (float) lanes[i] + (float) lanes[i + step];
            }
        }
        return first(lanes);
    }

    private static Object[] down(Object[] lanes, int delta) {
        Object[] moved = lanes.clone();
        for (int i = 0; i + delta < lanes.length; i++) {
            moved[i] = lanes[i + delta];
        }
        return moved;
    }

    private static Object[] first(Object[] lanes) {
        Arrays.fill(lanes, lanes[0]);
        return lanes;
    }

    /** Adds to an element of global memory so that no other work item comes in between. */
    public void atomicAdd(IntArray array, int index, int val) {
        INT.getAndAdd(elements(array, index), (long) index * Integer.BYTES, val);
    }

    /** Adds to an element of local memory so that no other work item comes in between. */
    public void atomicAdd(int[] array, int index, int val) {
        array[index] += val;
    }

    /** Adds to an element of global memory so that no other work item comes in between. */
    public void atomicAdd(LongArray array, int index, long val) {
        LONG.getAndAdd(elements(array, index), (long) index * Long.BYTES, val);
    }

    /** Adds to an element of global memory so that no other work item comes in between; the order is not fixed. */
    public void atomicAdd(FloatArray array, int index, float val) {
        MemorySegment elements = elements(array, index);
        float old;
        do {
            old = (float) FLOAT.getVolatile(elements, (long) index * Float.BYTES);
        } while (!FLOAT.compareAndSet(elements, (long) index * Float.BYTES, old, old + val));
    }

    /** Adds to an element of global memory so that no other work item comes in between; the order is not fixed. */
    public void atomicAdd(DoubleArray array, int index, double val) {
        MemorySegment elements = elements(array, index);
        double old;
        do {
            old = (double) DOUBLE.getVolatile(elements, (long) index * Double.BYTES);
        } while (!DOUBLE.compareAndSet(elements, (long) index * Double.BYTES, old, old + val));
    }

    /** The array's memory, after the checks of a read and a write at {@code index}. */
    private static MemorySegment elements(TornadoNativeArray array, int index) {
        return ArrayAccess.forAtomicUpdate(array, index);
    }
}
