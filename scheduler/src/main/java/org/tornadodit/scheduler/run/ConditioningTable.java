package org.tornadodit.scheduler.run;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.tornadodit.kernels.Batch;
import org.tornadodit.scheduler.graph.DitBuffers.Tables;
import org.tornadodit.scheduler.plan.Part;

/**
 * What a device has computed of the conditions that passes of the model are given: a row for each, of as many as are computed
 * together, since a product of few rows takes as long as of one. Those of steps to come are among them.
 */
final class ConditioningTable {

    /**
     * What a pass is told beside its latents.
     *
     * @param label a class, or the null class
     * @param time what the denoiser's embedding of time takes
     * @param interval what a second embedding takes
     */
    record Condition(int label, double time, double interval) {}

    private final Tables tables;
    private final Part part;
    private final int nullClass;
    private final Map<Condition, Integer> rows = new LinkedHashMap<>();

    /** @param part of the samples that the device has: which of their passes */
    ConditioningTable(Tables tables, Part part, int nullClass) {
        this.tables = tables;
        this.part = part;
        this.nullClass = nullClass;
    }

    /** Nothing is known any more: what was computed may have failed. */
    void forget() {
        rows.clear();
    }

    /**
     * Says which rows a step's passes take, and which are computed before it.
     *
     * @param passes what each pass is told
     * @param samples of the step
     * @return what is computed, row by row from the first on; nothing where all is there
     */
    List<Condition> fill(List<Condition> passes, List<SampleStep> samples) {
        List<Condition> computed = rows.keySet().containsAll(passes) ? List.of() : renew(passes, samples);
        for (int pass = 0; pass < passes.size(); pass++) {
            tables.taken().set(pass, Objects.requireNonNull(rows.get(passes.get(pass))));
        }
        tables.computed().set(Batch.PASSES, computed.size());
        for (int row = 0; row < computed.size(); row++) {
            tables.computed()
                    .set(Batch.label(row, tables.size()), computed.get(row).label());
        }
        return computed;
    }

    /** Takes in what the step needs, and what later ones will, the next one's first, as far as there is room. */
    private List<Condition> renew(List<Condition> passes, List<SampleStep> samples) {
        rows.clear();
        passes.forEach(this::add);
        Iterator<Condition> later = IntStream.rangeClosed(1, tables.size())
                .boxed()
                .flatMap(ahead -> samples.stream().flatMap(sample -> later(sample, ahead)))
                .iterator();
        while (rows.size() < tables.size() && later.hasNext()) {
            add(later.next());
        }
        return List.copyOf(rows.keySet());
    }

    private void add(Condition condition) {
        rows.putIfAbsent(condition, rows.size());
    }

    /** What the passes of a sample that the device has will be told. */
    private Stream<Condition> later(SampleStep sample, int ahead) {
        return sample.later().step(ahead).stream().flatMap(later -> {
            boolean forClass = part.halves().first() == 0;
            boolean forNull = later.guided() && (!forClass || part.halves().isWhole());
            return Stream.concat(
                            forClass ? Stream.of(sample.label()) : Stream.empty(),
                            forNull ? Stream.of(nullClass) : Stream.empty())
                    .map(label -> new Condition(
                            label, later.step().time(), later.step().interval()));
        });
    }
}
