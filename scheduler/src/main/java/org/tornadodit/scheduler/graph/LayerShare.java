package org.tornadodit.scheduler.graph;

import java.util.List;
import org.tornadodit.model.Linear;
import org.tornadodit.scheduler.plan.Part.Span;

/**
 * What a device has of a linear layer.
 *
 * @param rows of the weight: outputs, one run after the other
 * @param columns of the weight: inputs
 * @param biased whether it adds the bias; of devices whose products are added up, one does
 */
record LayerShare(Linear layer, List<Span> rows, Span columns, boolean biased) {

    LayerShare {
        rows = List.copyOf(rows);
    }

    static LayerShare whole(Linear layer) {
        return ofColumns(layer, Span.whole(layer.in()), true);
    }

    /** Some outputs. */
    static LayerShare ofRows(Linear layer, List<Span> rows) {
        return new LayerShare(layer, rows, Span.whole(layer.in()), true);
    }

    /** All outputs, of some inputs. */
    static LayerShare ofColumns(Linear layer, Span columns, boolean biased) {
        return new LayerShare(layer, List.of(Span.whole(layer.out())), columns, biased);
    }

    int out() {
        return rows.stream().mapToInt(Span::count).sum();
    }

    int in() {
        return columns.count();
    }

    private boolean hasAllRows() {
        return rows.size() == 1 && rows.getFirst().isWhole();
    }

    /** (out, in). */
    WeightValues weight() {
        return hasAllRows() && columns.isWhole()
                ? new WeightValues.Whole(layer.weight())
                : new WeightValues.Share(layer.weight(), rows, columns);
    }

    /** (out). */
    WeightValues bias() {
        if (!biased) {
            return new WeightValues.Zeros(out());
        }
        return hasAllRows()
                ? new WeightValues.Whole(layer.bias())
                : new WeightValues.Share(layer.bias(), rows, Span.whole(1));
    }
}
