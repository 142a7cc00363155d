package org.tornadodit.model.cpu;

import com.sun.management.OperatingSystemMXBean;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import org.tornadodit.model.cpu.MatrixProduct.Left;
import org.tornadodit.model.cpu.MatrixProduct.Output;

/**
 * Speed of linear layers at the model's sizes; not a test. Packing the weight is counted. Speed by the processors' time
 * stays meaningful on a machine that others use, speed by the clock is what a user sees on a quiet one. Run from the
 * repository's root after {@code mvn test-compile}:
 *
 * <pre>
 * java --add-modules jdk.incubator.vector -cp model/target/test-classes:model/target/classes \
 *     org.tornadodit.model.cpu.MatrixProductBench [threads]
 * </pre>
 */
final class MatrixProductBench {

    /** rows, outputs, inputs: the demo's layers, XL/2's at 512 pixels and batch 16, the decoder's as products. */
    private static final int[][] SIZES = {
        {1024, 864, 288},
        {1024, 1152, 288},
        {1024, 288, 1152},
        {16384, 1152, 1152},
        {16384, 3456, 1152},
        {16384, 4608, 1152},
        {16384, 1152, 4608},
        {4096, 512, 4608},
        {65536, 128, 1152}
    };

    private MatrixProductBench() {}

    public static void main(String[] args) {
        int threads = args.length > 0
                ? Integer.parseInt(args[0])
                : Runtime.getRuntime().availableProcessors();
        System.out.printf("%d threads, %d lanes; GFLOP/s%n", threads, TileKernel.LANES);
        try (Workers workers = new Workers(threads)) {
            measure(workers, 512, 512, 512); // compiles
            for (int[] size : SIZES) {
                double[] best = measure(workers, size[0], size[1], size[2]);
                System.out.printf(
                        "%6d x %4d x %4d: %6.1f by the clock, %6.1f a processor%n",
                        size[0], size[1], size[2], best[0], best[1]);
            }
        }
    }

    private static double[] measure(Workers workers, int rows, int columns, int depth) {
        MatrixProduct product = new PanelProduct();
        float[] x = Randoms.normal(rows * depth, 1);
        MemorySegment weight = MemorySegment.ofArray(Randoms.normal(columns * depth, 2));
        float[] bias = Randoms.normal(columns, 3);
        Output out = new Output(new float[rows * columns], 0, columns);
        PackedMatrix right = new PackedMatrix();
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        double work = 2.0 * rows * columns * depth;
        int batch = (int) Math.max(1, 2e10 / work); // processors' time is counted in steps of 10 ms
        double clock = Double.POSITIVE_INFINITY;
        double processors = Double.POSITIVE_INFINITY;
        for (int repeat = 0; repeat < 4; repeat++) {
            long before = System.nanoTime();
            long busy = system.getProcessCpuTime();
            for (int i = 0; i < batch; i++) {
                right.resize(depth, columns);
                workers.forEach(
                        right.panels(), (panel, worker) -> right.packWeight(panel, weight, 1, new float[depth]));
                product.multiply(workers, Left.matrix(x, 0, depth), rows, right, bias, out);
            }
            processors = Math.min(processors, system.getProcessCpuTime() - busy);
            clock = Math.min(clock, System.nanoTime() - before);
        }
        return new double[] {work * batch / clock, work * batch / processors};
    }
}
