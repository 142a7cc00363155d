package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.tornadodit.scheduler.device.DevicePlan;

/**
 * Which graphs a step runs. Where the tiles of fewer passes pay, the blocks' graph with those tiles is compiled beside the
 * steps, which go on with the graphs that there are, and is used from the beginning of a later step on: see
 * docs/decisions/0021. Used on the plan's thread.
 */
public final class SuitedSteps {
    private final DitGraphs graphs;
    private final DevicePlan device;
    private final Consumer<String> notes;
    /** Of the blocks' graphs: has the arrays that it shares with the first. */
    private final BitSet begun = new BitSet();

    private final BitSet noted = new BitSet();
    private int next;

    /**
     * @param device has the graphs of {@link DitGraphs#build}
     * @param notes takes lines on what is compiled
     */
    public SuitedSteps(DitGraphs graphs, DevicePlan device, Consumer<String> notes) {
        this.graphs = graphs;
        this.device = device;
        this.notes = notes;
        begun.set(0);
    }

    /** The graphs of a step of so many passes by their numbers, in the order in which they run; the step has to be done. */
    public List<Integer> next(int passes) {
        SuitedBlocks suited = graphs.suited();
        int wanted = suited.best(passes, any -> true);
        int graph = device.request(graphs.blocks(wanted))
                ? wanted
                : suited.best(passes, each -> device.isReady(graphs.blocks(each)));
        note(passes, wanted, graph);
        if (graph == 0) {
            next = 0;
            return graphs.step();
        }
        List<Integer> order = new ArrayList<>();
        for (int each : graphs.step()) {
            // An array is handed on by the graph that ran last: the first block hands on what only blocks have.
            boolean first = each == graphs.blocks(0) && !order.contains(each);
            order.add(each != graphs.blocks(0) || (first && !begun.get(graph)) ? each : graphs.blocks(graph));
        }
        next = graph;
        return order;
    }

    /** The step runs. */
    public void launched() {
        begun.set(next);
    }

    private void note(int passes, int wanted, int graph) {
        if (wanted > 0 && !noted.get(2 * wanted)) {
            noted.set(2 * wanted);
            notes.accept(String.format(
                    Locale.ROOT,
                    "%d passes of the model: blocks' products with tiles for %d should take %.2f of the time of those"
                            + " for %d; compiled beside the run",
                    passes,
                    graphs.suited().passes().get(wanted),
                    1 / graphs.suited().gain(passes, wanted),
                    graphs.suited().passes().getFirst()));
        }
        if (graph > 0 && !noted.get(2 * graph + 1)) {
            noted.set(2 * graph + 1);
            notes.accept("%d passes of the model: blocks with tiles for %d from here on"
                    .formatted(passes, graphs.suited().passes().get(graph)));
        }
    }
}
