package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;

/**
 * For which numbers of passes the blocks' graph is there: for the most, and for some fewer where their tiles take less time. A
 * graph serves any number, with the same bits; only its time differs. What a tile takes is said by the model that chooses it,
 * see {@link org.tornadodit.kernels.TensorLinear#tile}.
 *
 * @param passes of each graph, the most first
 * @param cycles that a number of passes take with each graph
 */
record SuitedBlocks(List<Integer> passes, List<IntToDoubleFunction> cycles) {
    /** Graphs at most: a few come close to the best for every number. */
    static final int MOST_GRAPHS = 8;
    /** What a graph has to take more than another before that one is worth compiling, and a change. */
    private static final double PAYS = 1.05;
    /** Up to here every number is looked at; then some, since more rows leave less of the last wave idle. */
    private static final int EACH = 32;

    private static final double STEP = 1.1;

    SuitedBlocks {
        passes = List.copyOf(passes);
        cycles = List.copyOf(cycles);
    }

    /**
     * Chooses.
     *
     * @param most passes that there is room for
     * @param cycles of a graph that is made for a number of passes
     */
    static SuitedBlocks of(int most, IntFunction<IntToDoubleFunction> cycles) {
        List<Integer> numbers = numbers(most);
        IntToDoubleFunction whole = cycles.apply(most);
        List<Integer> passes = new ArrayList<>(List.of(most));
        List<IntToDoubleFunction> chosen = new ArrayList<>(List.of(whole));
        if (whole.applyAsDouble(most) == 0) {
            return new SuitedBlocks(passes, chosen);
        }
        List<IntToDoubleFunction> all = numbers.stream().map(cycles::apply).toList();
        double[] best = new double[numbers.size()]; // of the chosen, beside the number's own
        for (int i = 0; i < best.length; i++) {
            int number = numbers.get(i);
            best[i] = whole.applyAsDouble(number) / all.get(i).applyAsDouble(number);
        }
        while (passes.size() < MOST_GRAPHS) {
            int next = -1;
            double least = excess(best);
            for (int candidate = 0; candidate < best.length; candidate++) {
                double with = excess(with(best, numbers, all, candidate));
                if (with < least) {
                    least = with;
                    next = candidate;
                }
            }
            if (next < 0) {
                break;
            }
            best = with(best, numbers, all, next);
            passes.add(numbers.get(next));
            chosen.add(all.get(next));
        }
        return new SuitedBlocks(passes, chosen);
    }

    private static double[] with(double[] best, List<Integer> numbers, List<IntToDoubleFunction> all, int candidate) {
        double[] with = best.clone();
        for (int i = 0; i < with.length; i++) {
            int number = numbers.get(i);
            with[i] = Math.min(
                    with[i],
                    all.get(candidate).applyAsDouble(number) / all.get(i).applyAsDouble(number));
        }
        return with;
    }

    /** By how much numbers of passes take longer than is tolerated, all together. */
    private static double excess(double[] best) {
        double sum = 0;
        for (double each : best) {
            sum += Math.max(0, each - PAYS);
        }
        return sum;
    }

    private static List<Integer> numbers(int most) {
        List<Integer> numbers = new ArrayList<>();
        for (int number = 1; number < most; number = Math.max(number + 1, number <= EACH ? 0 : (int) (number * STEP))) {
            numbers.add(number);
        }
        return numbers;
    }

    /** How many graphs there are. */
    int count() {
        return passes.size();
    }

    /**
     * The graph for a number of passes, of those that may be used: 0 unless another takes noticeably less, and always for the
     * most, whose tiles were chosen or tuned for it.
     */
    int best(int number, IntPredicate usable) {
        if (number >= passes.getFirst()) {
            return 0;
        }
        int best = 0;
        for (int i = 1; i < count(); i++) {
            double limit = cycles.get(best).applyAsDouble(number) / (best == 0 ? PAYS : 1);
            if (cycles.get(i).applyAsDouble(number) < limit && usable.test(i)) {
                best = i;
            }
        }
        return best;
    }

    /** How many times as long a number of passes takes with the graph for the most as with another. */
    double gain(int number, int graph) {
        return cycles.get(0).applyAsDouble(number) / cycles.get(graph).applyAsDouble(number);
    }
}
