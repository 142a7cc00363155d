package org.tornadodit.runner.report;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.tornadodit.runner.report.Block.Bar;
import org.tornadodit.runner.report.Block.Bars;
import org.tornadodit.runner.report.Block.Figure;
import org.tornadodit.runner.report.Block.Paragraph;
import org.tornadodit.runner.report.Block.Table;
import org.tornadodit.runner.report.Plots.Point;

/**
 * Where a step's time goes, from a record that holds each kernel's time.
 *
 * @param run a bench or autotune run
 * @param clock milliseconds of a step by the clock; empty where that was not measured
 */
record KernelProfile(RecordedRun run, OptionalDouble clock) {
    private static final String MEMORY = "memory";

    /**
     * One kernel.
     *
     * @param ms of all its launches in a step
     * @param rate bytes or operations a second
     * @param ofCeiling share of what the device reaches; empty where that was not measured
     */
    private record Kernel(
            String label,
            int launches,
            double each,
            double ms,
            double flop,
            double bytes,
            double rate,
            String ceiling,
            OptionalDouble ofCeiling) {

        boolean memory() {
            return ceiling.equals(MEMORY);
        }

        String rateText() {
            return memory() ? Plots.number(rate / 1e9) + " GB/s" : Plots.number(rate / 1e12) + " TFLOP/s";
        }
    }

    /** Milliseconds of all kernels of a step. */
    static double step(RecordedRun run, String key) {
        return run.objects("kernels").stream()
                .mapToDouble(kernel -> RecordedRun.number(kernel, key).orElse(0)
                        * RecordedRun.number(kernel, "launches").orElse(1))
                .sum();
    }

    private List<Kernel> kernels() {
        JsonObject ceilings = run.object("ceilings");
        List<Kernel> kernels = new ArrayList<>();
        for (JsonObject json : run.objects("kernels")) {
            double each = RecordedRun.number(json, "ms").orElse(0);
            if (!(each > 0)) {
                continue;
            }
            int launches = (int) RecordedRun.number(json, "launches").orElse(1);
            String ceiling = RecordedRun.text(json, "ceiling");
            double flop = RecordedRun.number(json, "flop").orElse(0);
            double bytes = RecordedRun.number(json, "bytes").orElse(0);
            double rate = (ceiling.equals(MEMORY) ? bytes : flop) / each * 1e3;
            OptionalDouble most = RecordedRun.number(ceilings, ceiling);
            kernels.add(new Kernel(
                    RecordedRun.text(json, "name") + " " + RecordedRun.text(json, "shape"),
                    launches,
                    each,
                    each * launches,
                    flop,
                    bytes,
                    rate,
                    ceiling,
                    most.isPresent() ? OptionalDouble.of(rate / most.getAsDouble()) : OptionalDouble.empty()));
        }
        kernels.sort(Comparator.comparingDouble(Kernel::ms).reversed());
        return kernels;
    }

    List<Block> blocks() {
        List<Kernel> kernels = kernels();
        double total = kernels.stream().mapToDouble(Kernel::ms).sum();
        List<Block> blocks = new ArrayList<>();
        blocks.add(new Paragraph("%s. %s. %s (%s)."
                .formatted(
                        run.workload(),
                        run.text("kernels_by").isEmpty()
                                ? "Each kernel of a step alone on the card, checked against the float64"
                                        + " reference and then timed, median"
                                : run.text("kernels_by"),
                        run.conditions(),
                        run.file())));
        blocks.add(new Table(
                List.of("kernel", "launches", "each, us", "a step, ms", "share, %", "rate", "of the ceiling, %"),
                kernels.stream()
                        .map(kernel -> List.of(
                                kernel.label(),
                                String.valueOf(kernel.launches()),
                                Report.fixed(OptionalDouble.of(kernel.each()), 1e3, 1),
                                Report.fixed(OptionalDouble.of(kernel.ms()), 1, 2),
                                Report.fixed(OptionalDouble.of(kernel.ms() / total), 100, 1),
                                kernel.rateText(),
                                Report.fixed(kernel.ofCeiling(), 100, 0)))
                        .toList()));
        String idle = clock.isPresent()
                ? " A step takes %s ms by the clock: %s ms are not these kernels' (launching, waiting, the clock's difference between a kernel alone and in a step)."
                        .formatted(Plots.number(clock.getAsDouble()), Plots.number(clock.getAsDouble() - total))
                : "";
        blocks.add(new Paragraph("Together %s ms a step.".formatted(Plots.number(total)) + idle));
        blocks.add(new Paragraph(bottleneck(kernels, total)));
        blocks.add(new Bars(
                kernels.stream()
                        .limit(8)
                        .map(kernel -> new Bar(
                                kernel.label(),
                                kernel.ms(),
                                Report.fixed(OptionalDouble.of(kernel.ms() / total), 100, 1) + " %",
                                true))
                        .toList(),
                "Time in a step of the kernels that take the most."));
        roofline(kernels, blocks);
        List<Bar> shares = kernels.stream()
                .filter(kernel -> kernel.ofCeiling().isPresent())
                .limit(12)
                .map(kernel -> new Bar(
                        kernel.label() + (kernel.memory() ? " (memory)" : " (arithmetic)"),
                        kernel.ofCeiling().getAsDouble(),
                        Report.fixed(kernel.ofCeiling(), 100, 0) + " %",
                        true))
                .toList();
        if (!shares.isEmpty()) {
            blocks.add(new Bars(shares, "How much of the measured ceiling each kernel reaches."));
        }
        return blocks;
    }

    private static String bottleneck(List<Kernel> kernels, double total) {
        if (kernels.isEmpty()) {
            return "No kernel was recorded.";
        }
        Kernel most = kernels.getFirst();
        double arithmetic = kernels.stream()
                .filter(kernel -> !kernel.memory())
                .mapToDouble(Kernel::ms)
                .sum();
        return ("%s %% of the kernels' time is bound by arithmetic, %s %% by memory. The largest is %s: %s %% of the"
                        + " time at %s%s.")
                .formatted(
                        Report.fixed(OptionalDouble.of(arithmetic / total), 100, 1),
                        Report.fixed(OptionalDouble.of(1 - arithmetic / total), 100, 1),
                        most.label(),
                        Report.fixed(OptionalDouble.of(most.ms() / total), 100, 1),
                        most.rateText(),
                        most.ofCeiling().isPresent()
                                ? ", " + Report.fixed(most.ofCeiling(), 100, 0) + " % of its ceiling"
                                : "");
    }

    private void roofline(List<Kernel> kernels, List<Block> blocks) {
        JsonObject ceilings = run.object("ceilings");
        OptionalDouble bandwidth = RecordedRun.number(ceilings, MEMORY);
        Map<String, Double> roofs = new LinkedHashMap<>();
        for (String name : ceilings.keySet()) {
            if (!name.equals(MEMORY)) {
                RecordedRun.number(ceilings, name)
                        .ifPresent(
                                rate -> roofs.put(name.toUpperCase(Locale.ROOT).replace('_', ' '), rate));
            }
        }
        List<Point> points = kernels.stream()
                .filter(kernel -> kernel.flop() > 0 && kernel.bytes() > 0)
                .map(kernel ->
                        new Point(kernel.label(), kernel.flop() / kernel.bytes(), kernel.flop() / kernel.each() * 1e3))
                .toList();
        if (!roofs.isEmpty() && !points.isEmpty()) {
            blocks.add(new Figure(
                    Plots.roofline(bandwidth, roofs, points),
                    "Roofline. Ceilings are "
                            + (run.text("ceilings_by").isEmpty()
                                    ? "those of kernels that do nothing else, measured on the card in the same run"
                                    : run.text("ceilings_by"))
                            + "; bytes are those that a kernel must move at least."));
        }
    }
}
