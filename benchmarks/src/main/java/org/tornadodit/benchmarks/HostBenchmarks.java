package org.tornadodit.benchmarks;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.tornadodit.model.cpu.CpuDit;
import org.tornadodit.model.cpu.CpuOptions;
import org.tornadodit.model.cpu.CpuVaeDecoder;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.metrics.ImageMetrics;
import org.tornadodit.model.metrics.RgbImage;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;

/**
 * What the host does for a batch, with the demo's model and the challenge's latents and pictures. The demo is found in
 * {@code dit.root}, or from the project's folder.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow"
        })
@SuppressWarnings("NullAway.Init") // set by JMH's @Setup
public class HostBenchmarks {
    /** Elements of PyTorch's draw for a step of eight pictures of 512 x 512 with guidance. */
    private static final int DRAW = 16 * 4 * 64 * 64;

    private static final int PIXELS = 512;

    private Path demo;
    private DitConfig config;
    private Checkpoint weights;
    private Checkpoint vaeWeights;
    private CpuDit dit;
    private CpuVaeDecoder decoder;
    /** Of two samples. */
    private float[] latents;

    private float[] oneLatent;
    private RgbImage picture;
    private RgbImage other;

    @Setup
    public void prepare() {
        demo = Path.of(System.getProperty("dit.root", ".")).resolve("demo");
        config = DitConfig.fromJson(demo.resolve("config.json"));
        weights = Checkpoints.open(demo.resolve("dit.pt"));
        vaeWeights = Checkpoints.openVae(demo.resolve("vae"));
        VaeConfig vaeConfig = VaeConfig.fromJson(demo.resolve("vae"));
        CpuOptions options = CpuOptions.defaults();
        dit = new CpuDit(config, DitWeights.load(weights, config), options);
        decoder = new CpuVaeDecoder(vaeConfig, VaeWeights.load(vaeWeights, vaeConfig), options);
        latents = TorchRandn.cuda(0).next(2 * config.inputElements());
        oneLatent = Arrays.copyOf(latents, config.inputElements());
        picture = picture(1);
        other = picture(2);
    }

    private static RgbImage picture(long seed) {
        byte[] levels = new byte[PIXELS * PIXELS * RgbImage.CHANNELS];
        new SplittableRandom(seed).nextBytes(levels);
        return new RgbImage(PIXELS, PIXELS, levels);
    }

    @TearDown
    public void release() {
        dit.close();
        decoder.close();
        weights.close();
        vaeWeights.close();
    }

    /** Opens a .pt file and looks at every weight once. */
    @Benchmark
    public double readCheckpoint() {
        double sum = 0;
        try (Checkpoint checkpoint = Checkpoints.open(demo.resolve("dit.pt"))) {
            for (String name : checkpoint.names()) {
                float[] values = checkpoint.tensor(name).toArray();
                for (float value : values) {
                    sum += value;
                }
            }
        }
        return sum;
    }

    /** PyTorch's noise on a GPU. */
    @Benchmark
    public float[] cudaNoise() {
        return TorchRandn.cuda(0).next(DRAW);
    }

    /** PyTorch's noise on the CPU. */
    @Benchmark
    public float[] cpuNoise() {
        return TorchRandn.cpu(0).next(DRAW);
    }

    /** One forward pass of two samples. */
    @Benchmark
    public float[] cpuForward() {
        return dit.forward(latents, new double[] {500, 500}, new int[] {0, config.numClasses()}, 2);
    }

    /** One picture. */
    @Benchmark
    public float[] cpuDecode() {
        return decoder.decode(oneLatent, 1);
    }

    /** Mean absolute difference, PSNR and SSIM of a picture. */
    @Benchmark
    public ImageMetrics compareImages() {
        return ImageMetrics.compare(picture, other);
    }
}
