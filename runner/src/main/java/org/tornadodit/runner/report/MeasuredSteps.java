package org.tornadodit.runner.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.tornadodit.scheduler.plan.Mesh;

/** Steps that {@code bench} has recorded, by how devices divided the batch. */
public final class MeasuredSteps {
    /** Key of a record's options: how devices divided the batch, in the command line's options. */
    public static final String DIVISION = "division";

    private final List<RecordedRun> runs;

    /**
     * A recorded step.
     *
     * @param ms its median
     * @param device the cards' name
     * @param day of the record
     */
    public record Measured(double ms, String device, String day) {}

    /**
     * What is divided.
     *
     * @param model the command line's name
     * @param imageSize pixels a side
     * @param precision the command line's word
     */
    public record Workload(String model, int imageSize, int batch, boolean guided, String precision) {}

    MeasuredSteps(List<RecordedRun> runs) {
        this.runs = List.copyOf(runs);
    }

    /**
     * The records of a folder; none where there is no such folder.
     *
     * @param refused gets a line for each file that is not used
     */
    public static MeasuredSteps of(Path folder, List<String> refused) throws IOException {
        return new MeasuredSteps(
                Files.isDirectory(folder) ? RecordedRun.read(folder, RunRecord.FORMAT, refused) : List.of());
    }

    /** The newest record of a step on tensor cores. */
    public Optional<Measured> newest(Workload workload, Mesh mesh) {
        return runs.reversed().stream()
                .filter(run -> run.is("bench")
                        && run.milliseconds("step").isPresent()
                        && isOf(run, workload)
                        && division(run).equals(mesh.options()))
                .findFirst()
                .map(run -> new Measured(run.milliseconds("step").orElseThrow(), run.text("device"), run.day()));
    }

    private static boolean isOf(RecordedRun run, Workload workload) {
        var options = run.object("options");
        OptionalDouble guidance = RecordedRun.number(options, "guidance");
        return RecordedRun.text(options, "model").equals(workload.model())
                && RecordedRun.number(options, "image_size").orElse(0) == workload.imageSize()
                && RecordedRun.number(options, "batch").orElse(0) == workload.batch()
                && RecordedRun.text(options, "precision").equals(workload.precision())
                && !RecordedRun.text(options, "kernels").equals("portable")
                && (guidance.orElse(0) != 1) == workload.guided();
    }

    /** Of a record without one, of samples. */
    private static String division(RecordedRun run) {
        String recorded = RecordedRun.text(run.object("options"), DIVISION);
        return recorded.isEmpty() ? Mesh.ofSamples(run.devices()).options() : recorded;
    }

    /** Whether devices computed the same samples. */
    static boolean isOfCrew(RecordedRun run) {
        return !division(run).equals(Mesh.ofSamples(run.devices()).options());
    }
}
