package org.tornadodit.runner.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.tornadodit.model.ByteCount;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.runner.report.Block.Bar;
import org.tornadodit.runner.report.Block.Bars;
import org.tornadodit.runner.report.Block.Heading;
import org.tornadodit.runner.report.Block.Paragraph;
import org.tornadodit.runner.report.Block.Table;
import org.tornadodit.runner.report.MeasuredSteps.Measured;
import org.tornadodit.runner.report.MeasuredSteps.Workload;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.graph.MeshCost;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Mesh;

/** How several cards can compute one picture: which ways suit a DiT, what each sends and should take, and what was recorded. */
final class SharedPicture {
    private static final String MODEL = "DiT-XL/2";
    private static final int IMAGE_SIZE = 512;
    private static final int CLASSES = 1000;

    private final MeasuredSteps measured;

    SharedPicture(List<RecordedRun> runs) {
        this.measured = new MeasuredSteps(runs);
    }

    List<Block> blocks() {
        List<Block> blocks = new ArrayList<>(List.of(
                new Heading(3, "One picture on several cards"),
                new Paragraph(
                        "With fewer pictures than cards these compute a picture together; a step stays one launch on"
                                + " each card, in which kernels store into the other cards' memory and wait for their"
                                + " flags. Which ways suit a diffusion transformer:"),
                new Block.Sentences(List.of(
                        "The halves of guidance are two independent passes of the model, which meet once a"
                                + " step in their predictions: nothing else has as little between two cards.",
                        "Heads (Ulysses): all layers but attention treat tokens alone, and attention treats"
                                + " heads alone. Each card has a share of the tokens and, in attention, of the"
                                + " heads; q, k, v and attention's output are exchanged in each block. No sum is"
                                + " divided: the same bits.",
                        "A ring whose cards keep their queries, and have all keys and values, has the same"
                                + " volume and does not ask for as many heads.",
                        "Tensor parallelism divides the weights of each block, and sums: FP32's accuracy, not"
                                + " the same bits, at four token arrays a block.",
                        "Stages (GPipe) divide the blocks and send one token array a step. They make no single"
                                + " picture faster, since each stage waits for the one before.",
                        "Patches (PipeFusion) of one picture's tokens can go through the stages one behind the"
                                + " other, with keys and values of the step before: another picture, which is"
                                + " never chosen unasked.")),
                new Paragraph(
                        "What limits one picture is not the link: half of the rows take more than half of the time,"
                                + " since tiles and launches do not shrink with them. The steps below are the cost"
                                + " model's, for H100s and H200s, by which --plan auto chooses; measured is what bench"
                                + " recorded.")));
        DitConfig config = DitVariant.parse(MODEL).config(IMAGE_SIZE, CLASSES);
        for (int cards : new int[] {2, 4}) {
            for (MatmulPrecision precision : MatmulPrecision.values()) {
                blocks.addAll(table(config, cards, precision));
            }
        }
        return blocks;
    }

    private List<Block> table(DitConfig config, int cards, MatmulPrecision precision) {
        String word = precision.name().toLowerCase(Locale.ROOT);
        Workload workload = new Workload(MODEL, IMAGE_SIZE, 1, true, word);
        Map<Mesh, MeshCost> costs = MeshCost.ofHopper(config, 1, true, cards, precision, Link.PEERS);
        double alone = Objects.requireNonNull(costs.get(Mesh.ONE)).seconds();
        List<List<String>> rows = new ArrayList<>();
        List<Bar> bars = new ArrayList<>();
        List<Map.Entry<Mesh, MeshCost>> sorted = costs.entrySet().stream()
                .filter(entry ->
                        entry.getKey().devices() == cards || entry.getKey().equals(Mesh.ONE))
                .sorted(Comparator.comparingDouble(entry -> entry.getValue().seconds()))
                .toList();
        for (Map.Entry<Mesh, MeshCost> entry : sorted) {
            Mesh mesh = entry.getKey();
            MeshCost cost = entry.getValue();
            Optional<Measured> step = measured.newest(workload, mesh);
            double faster = alone / cost.seconds();
            rows.add(List.of(
                    mesh.options(),
                    String.format(Locale.ROOT, "%.2f", 1e3 * cost.seconds()),
                    String.format(Locale.ROOT, "%.2f", faster),
                    ByteCount.of(cost.sent()),
                    ByteCount.of(cost.memory()),
                    mesh.exactness().word(),
                    step.map(each -> String.format(Locale.ROOT, "%.2f", each.ms()))
                            .orElse(""),
                    step.map(each -> each.device() + ", " + each.day()).orElse("")));
            bars.add(new Bar(mesh.equals(Mesh.ONE) ? "one card" : mesh.toString(), faster, Plots.number(faster), true));
        }
        String title = "%s, %d x %d, one picture with guidance, precision %s, up to %d cards."
                .formatted(MODEL, IMAGE_SIZE, IMAGE_SIZE, word, cards);
        return List.of(
                new Paragraph(title),
                new Table(
                        List.of(
                                "options",
                                "predicted step, ms",
                                "times one card's speed",
                                "sent a step by each",
                                "memory of each",
                                "bits",
                                "measured step, ms",
                                "on"),
                        rows),
                new Bars(bars, "Predicted speed of a step beside one card's."));
    }
}
