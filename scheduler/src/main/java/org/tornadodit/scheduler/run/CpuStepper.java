package org.tornadodit.scheduler.run;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.tornadodit.model.cpu.CpuDit;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.scheduler.engine.OverflowException;

/** Steps of the CPU engine: the passes of all samples go through the model together. */
final class CpuStepper implements Stepper {
    private final DitConfig config;
    private final CpuDit dit;
    private List<List<float[]>> states = List.of();

    CpuStepper(DitConfig config, CpuDit dit) {
        this.config = config;
        this.dit = dit;
    }

    @Override
    public void begin(List<List<float[]>> taken) {
        states = List.copyOf(taken);
    }

    @Override
    public void step(List<SampleStep> samples, List<float[]> noise, int number) {
        int elements = config.inputElements();
        int outputs = config.outputElements();
        int passes = samples.size()
                + (int) samples.stream().filter(SampleStep::guided).count();
        float[] x = new float[Math.multiplyExact(passes, elements)];
        double[] times = new double[passes];
        double[] intervals = new double[passes];
        int[] labels = new int[passes];
        int pass = samples.size(); // the conditional ones come first, then those of the null class
        for (int i = 0; i < samples.size(); i++) {
            SampleStep sample = samples.get(i);
            System.arraycopy(states.get(i).getFirst(), 0, x, i * elements, elements);
            times[i] = sample.step().time();
            intervals[i] = sample.step().interval();
            labels[i] = sample.label();
            if (sample.guided()) {
                System.arraycopy(states.get(i).getFirst(), 0, x, pass * elements, elements);
                times[pass] = sample.step().time();
                intervals[pass] = sample.step().interval();
                labels[pass] = config.nullClass();
                pass++;
            }
        }
        float[] output = dit.forward(x, times, intervals, labels, passes);
        boolean overflowed = dit.overflowed();
        List<List<float[]>> after = new ArrayList<>();
        pass = samples.size();
        for (int i = 0; i < samples.size(); i++) {
            SampleStep sample = samples.get(i);
            if (sample.guided()) {
                int guided = sample.guidedChannels() * config.inputSize() * config.inputSize();
                CpuDit.guide(output, i * outputs, pass * outputs, guided, sample.cfgScale());
                pass++;
            }
            after.add(sample.step()
                    .take(
                            1,
                            states.get(i),
                            Arrays.copyOfRange(output, i * outputs, (i + 1) * outputs),
                            noise.get(i).length == 0 ? null : noise.get(i)));
        }
        for (int i = 0; i < samples.size(); i++) {
            boolean finite = ReturnedValues.areFinite(after.get(i).getFirst(), elements);
            if (overflowed || !finite) {
                Optional<String> tensor =
                        firstNotFinite(samples.get(i), states.get(i).getFirst());
                if (tensor.isPresent() || !finite) {
                    throw OverflowException.ofFloat(tensor.orElse("the result of the sampler"), number);
                }
            }
        }
        states = after;
    }

    /** What of a sample's pass is the first that float32 does not hold, for a message. */
    private Optional<String> firstNotFinite(SampleStep sample, float[] x) {
        double time = sample.step().time();
        double interval = sample.step().interval();
        Guidance guidance = Arrays.stream(Guidance.values())
                .filter(each -> each.channels(config.inChannels()) == sample.guidedChannels())
                .findFirst()
                .orElse(Guidance.FIRST_THREE);
        return dit.firstNotFinite(
                Arrays.copyOf(x, 2 * x.length),
                new double[] {time, time},
                new double[] {interval, interval},
                new int[] {sample.label(), config.nullClass()},
                2,
                sample.cfgScale(),
                guidance);
    }

    @Override
    public List<List<float[]>> read(List<Integer> arrays) {
        return states;
    }
}
