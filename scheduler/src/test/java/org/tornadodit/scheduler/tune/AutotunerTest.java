package org.tornadodit.scheduler.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.check.Ceiling;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.tune.TriedVariant.Verdict;

/** Variants with made-up times, on tornado-host: what is wrong is never chosen, however fast it is. */
class AutotunerTest {
    private static final int SIZE = PlantedKernels.POISONED_SIZE;
    private static final double UNLIMITED = 1e9;

    /** Every kind is ten times as fast as the one before. */
    private static final KernelRunner RUNNER = new VirtualRunner(
            new DeviceRunner(TornadoDevices.list().getFirst().device()),
            (kernel, variant) ->
                    Math.pow(10, -variant.get("kind") - variant.parameters().getOrDefault("faster", 0)));

    @ParameterizedTest
    @CsvSource({
        "1, WRONG, 1 of 5000 values",
        "2, WRONG, 'error'",
        "3, OTHER_BITS, 1 of 5000 values",
        "4, WRONG, a second run gave other values",
        "5, FAILED, a kernel that does not compile"
    })
    void whatIsWrongIsReportedAndNeverChosen(int kind, Verdict verdict, String reason) {
        TunedOperation tuned = tune(operation(SIZE, PlantedKernels.RIGHT, kind));
        assertEquals(Optional.of(kind(PlantedKernels.RIGHT)), tuned.chosen());
        assertEquals(1, tuned.refused().size());
        TriedVariant refused = tuned.refused().getFirst();
        assertEquals(kind(kind), refused.variant());
        assertEquals(verdict, refused.verdict());
        assertTrue(refused.reason().contains(reason), refused.reason());
    }

    /** So that what it tries is kept across processes. */
    @Test
    void triedKernelsAreCompiledWhereTheEnginesAre() {
        NotedCompilations compiler = new NotedCompilations();
        KernelRunner runner = new VirtualRunner(
                new DeviceRunner(TornadoDevices.list().getFirst().device(), compiler), (kernel, variant) -> 1);
        TunedOperation tuned = new Autotuner(runner, UNLIMITED)
                .tune(List.of(operation(SIZE, PlantedKernels.RIGHT, PlantedKernels.HALF)), one -> {})
                .getFirst();
        assertEquals(Optional.of(kind(PlantedKernels.RIGHT)), tuned.chosen());
        List<String> notes = compiler.notes;
        assertTrue(notes.size() >= 2 * 3, notes.toString());
        for (int i = 0; i < notes.size(); i += 3) {
            assertEquals(List.of("prepare", "begin 2", "finish"), notes.subList(i, Math.min(i + 3, notes.size())));
        }
    }

    @Test
    void aVariantThatIsWrongOnAnotherShapeOnlyIsChosenWhereItIsRight() {
        TunedOperation tuned = tune(operation(SIZE - 1, PlantedKernels.RIGHT, PlantedKernels.POISONED));
        assertEquals(Optional.of(kind(PlantedKernels.POISONED)), tuned.chosen());
    }

    @Test
    void theFastestOfTheRightIsChosenAmongTheWrong() {
        Variant faster = kind(PlantedKernels.RIGHT).and("faster", 1);
        Variant fastest = kind(PlantedKernels.RIGHT).and("faster", 2);
        List<Variant> variants = List.of(
                kind(PlantedKernels.RIGHT), faster, kind(PlantedKernels.HALF), fastest, kind(PlantedKernels.FAILING));
        TunedOperation tuned = tune(operation(SIZE, variants));
        assertEquals(Optional.of(fastest), tuned.chosen());
        assertEquals(0.01, tuned.chosenTiming().median(), 1e-12);
        assertEquals(1, tuned.standardTiming().median(), 1e-12);
        assertEquals(8.0 * SIZE / 0.01, tuned.rate(), 1e-3);
    }

    @Test
    void aGainWithinTheClocksNoiseIsNone() {
        KernelRunner close = new VirtualRunner(
                new DeviceRunner(TornadoDevices.list().getFirst().device()),
                (kernel, variant) -> variant.parameters().containsKey("faster") ? 0.995 : 1);
        Tunable operation = operation(
                100,
                List.of(kind(PlantedKernels.RIGHT), kind(PlantedKernels.RIGHT).and("faster", 1)));
        TunedOperation tuned = new Autotuner(close, UNLIMITED)
                .tune(List.of(operation), one -> {})
                .getFirst();
        assertEquals(Optional.of(kind(PlantedKernels.RIGHT)), tuned.chosen());
    }

    @Test
    void aWrongDefaultIsNotReplaced() {
        TunedOperation tuned = tune(operation(SIZE, PlantedKernels.HALF, PlantedKernels.RIGHT));
        assertEquals(Optional.empty(), tuned.chosen());
        assertEquals(Verdict.WRONG, tuned.refused().getFirst().verdict());
    }

    @Test
    void keepsWhatWasFinishedWithinTheBudget() {
        long[] now = {0};
        List<OperationShape> kept = new ArrayList<>();
        Autotuner tuner = new Autotuner(RUNNER, 100, () -> now[0] += 30_000_000_000L);
        // The deadline reads the clock once, an operation once for itself and once for its second variant.
        List<Tunable> operations = IntStream.rangeClosed(1, 4)
                .mapToObj(i -> operation(10 * i, PlantedKernels.RIGHT, PlantedKernels.POISONED))
                .toList();
        List<TunedOperation> tuned = tuner.tune(operations, one -> kept.add(one.operation()));
        assertEquals(List.of(OperationShape.of("twice", 10)), kept);
        assertEquals(1, tuned.size());
    }

    private static TunedOperation tune(Tunable operation) {
        return new Autotuner(RUNNER, UNLIMITED)
                .tune(List.of(operation), one -> {})
                .getFirst();
    }

    private static Variant kind(int kind) {
        return Variant.of("kind", kind);
    }

    private static Tunable operation(int size, int... kinds) {
        return operation(size, IntStream.of(kinds).mapToObj(AutotunerTest::kind).toList());
    }

    private static Tunable operation(int size, List<Variant> variants) {
        return new Tunable(
                OperationShape.of("twice", size), variants, 1, Ceiling.MEMORY, () -> PlantedKernels.cases(size));
    }
}
