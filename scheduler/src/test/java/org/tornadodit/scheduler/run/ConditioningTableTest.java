package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.Batch;
import org.tornadodit.model.diffusion.Prediction;
import org.tornadodit.model.diffusion.SamplerStep;
import org.tornadodit.model.diffusion.Update;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.graph.DitBuffers.Tables;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.run.ConditioningTable.Condition;
import org.tornadodit.scheduler.run.SampleStep.Draw;
import org.tornadodit.scheduler.run.SampleStep.Later;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class ConditioningTableTest {
    private static final DitConfig CONFIG = CrewTest.CONFIG;
    private static final int NULL_CLASS = 6;

    private static Tables tables(int size) {
        return new Tables(
                size, new IntArray(Batch.length(size)), new IntArray(4), new FloatArray(1), new FloatArray(1));
    }

    private static SamplerStep at(double time) {
        return new SamplerStep(time, new Prediction.StartEstimate(1, 0), new Update.Linear(1, 0, 0, 0, 0, 0));
    }

    /** A sample whose steps are at times that go down by 1 to 0, guided above a time. */
    private static SampleStep sample(int label, int time, int guidedAbove) {
        Later later = ahead -> time - ahead < 0
                ? Optional.empty()
                : Optional.of(new Later.Step(at(time - ahead), time - ahead > guidedAbove));
        return new SampleStep(label, at(time), 4, time > guidedAbove ? 3 : 0, Draw.NONE, later);
    }

    private static List<Condition> passes(SampleStep... samples) {
        List<Condition> passes = new ArrayList<>();
        for (SampleStep sample : samples) {
            passes.add(new Condition(sample.label(), sample.step().time(), 0));
        }
        for (SampleStep sample : samples) {
            if (sample.guided()) {
                passes.add(new Condition(NULL_CLASS, sample.step().time(), 0));
            }
        }
        return passes;
    }

    private static List<Integer> labels(Tables tables) {
        return IntStream.range(0, tables.computed().get(Batch.PASSES))
                .mapToObj(row -> tables.computed().get(Batch.label(row, tables.size())))
                .toList();
    }

    @Test
    void laterStepsAreComputedWithTheFirstThatNeedsSome() {
        Tables tables = tables(6);
        ConditioningTable table = new ConditioningTable(tables, Part.of(CONFIG, 2, true), NULL_CLASS);
        SampleStep first = sample(3, 9, -1);
        List<Condition> computed = table.fill(passes(first), List.of(first));
        assertEquals(
                List.of(9.0, 9.0, 8.0, 8.0, 7.0, 7.0),
                computed.stream().map(Condition::time).toList());
        assertEquals(List.of(3, NULL_CLASS, 3, NULL_CLASS, 3, NULL_CLASS), labels(tables));

        SampleStep third = sample(3, 7, -1);
        assertEquals(List.of(), table.fill(passes(third), List.of(third)));
        assertEquals(0, tables.computed().get(Batch.PASSES));
        assertEquals(
                List.of(4, 5), List.of(tables.taken().get(0), tables.taken().get(1)));

        SampleStep fourth = sample(3, 6, -1);
        assertEquals(6, table.fill(passes(fourth), List.of(fourth)).size());
        assertEquals(
                List.of(0, 1), List.of(tables.taken().get(0), tables.taken().get(1)));
    }

    /** Samples at the same time have one row for the null class; who joins has the table made anew. */
    @Test
    void equalConditionsHaveOneRow() {
        Tables tables = tables(6);
        ConditioningTable table = new ConditioningTable(tables, Part.of(CONFIG, 2, true), NULL_CLASS);
        SampleStep one = sample(1, 2, 0);
        SampleStep other = sample(2, 2, 0);
        List<Condition> computed = table.fill(passes(one, other), List.of(one, other));
        assertEquals(List.of(1, 2, NULL_CLASS, 1, NULL_CLASS, 2), labels(tables));
        assertEquals(6, computed.size());
        assertEquals(
                List.of(0, 1, 2, 2),
                IntStream.range(0, 4).mapToObj(tables.taken()::get).toList());

        SampleStep joined = sample(4, 1, 0);
        assertEquals(
                4, table.fill(passes(one, joined), List.of(one, joined)).get(1).label());
        assertEquals(List.of(1, 4, NULL_CLASS, NULL_CLASS, 1, 4), labels(tables));
    }

    /** Guidance ends on the way, and the run: what nobody will need is not computed. */
    @Test
    void whatNobodyWillNeedIsNotComputed() {
        Tables tables = tables(16);
        ConditioningTable table = new ConditioningTable(tables, Part.of(CONFIG, 1, true), NULL_CLASS);
        SampleStep sample = sample(3, 3, 1);
        table.fill(passes(sample), List.of(sample));
        assertEquals(List.of(3, NULL_CLASS, 3, NULL_CLASS, 3, 3), labels(tables));
    }

    @Test
    void aDeviceWithOneHalfHasItsPassesAlone() {
        SampleStep sample = sample(3, 2, 0);
        for (int half = 0; half < 2; half++) {
            Tables tables = tables(8);
            Part part = Mesh.ONE.withHalves(2).part(CONFIG, 1, true, half);
            ConditioningTable table = new ConditioningTable(tables, part, NULL_CLASS);
            table.fill(passes(sample).subList(half, half + 1), List.of(sample));
            assertEquals(half == 0 ? List.of(3, 3, 3) : List.of(NULL_CLASS, NULL_CLASS), labels(tables));
        }
    }

    @Test
    void whatIsForgottenIsComputedAgain() {
        Tables tables = tables(8);
        ConditioningTable table = new ConditioningTable(tables, Part.of(CONFIG, 1, true), NULL_CLASS);
        SampleStep sample = sample(3, 0, -1);
        assertEquals(2, table.fill(passes(sample), List.of(sample)).size());
        assertEquals(0, table.fill(passes(sample), List.of(sample)).size());
        table.forget();
        assertEquals(2, table.fill(passes(sample), List.of(sample)).size());
    }
}
