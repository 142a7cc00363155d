package org.tornadodit.ptx;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which registers of a kernel are read on a way that has not set them. TornadoVM reads a thread's number once, where the first
 * block of its text wants it, and takes that register in all others, also in those that a thread reaches without passing there
 * (PTXNodeLIRBuilder.getBuiltInAllocation). What such a register holds is undefined, so that no test on a host sees it.
 */
final class DefiniteAssignment {
    private static final Pattern BRANCH = Pattern.compile("(@!?\\w+\\s+)?bra(?:\\.uni)?\\s+(\\w+)\\s*;");
    private static final Pattern NUMBER_OF_THREAD =
            Pattern.compile("\\s*mov\\.u32\\s+(rui\\d+), %n?(?:tid|ctaid)\\.[xyz];");

    /** Instructions whose first operand is no result. */
    private static final Set<String> WITHOUT_RESULT = Set.of(
            "st",
            "red",
            "bar",
            "barrier",
            "bra",
            "ret",
            "exit",
            "prefetch",
            "cp",
            "fence",
            "membar",
            "setmaxnreg",
            "trap",
            "nanosleep",
            "griddepcontrol",
            "stmatrix",
            "mbarrier");

    /** Statements without a branch into them or out of them but at the end. */
    private static final class Block {
        final List<int[]> reads = new ArrayList<>();
        final List<int[]> results = new ArrayList<>();
        final List<String> next = new ArrayList<>();
        /** What is set on all ways that lead here; null before one was found. */
        @Nullable
        BitSet before;
    }

    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<String> names = new ArrayList<>();
    private final Map<String, Block> blocks = new HashMap<>();

    private DefiniteAssignment() {}

    /** Names of registers that may be read before they are set, in order. */
    static Set<String> unassigned(String ptx) {
        DefiniteAssignment analysis = new DefiniteAssignment();
        Block first = analysis.parse(ptx);
        return first == null ? Set.of() : analysis.unassigned(first);
    }

    /** The text with those of the registers set at its beginning that have numbers of threads. */
    static String withNumbersOfThreadsFirst(String ptx, Set<String> unassigned) {
        List<String> lines = new ArrayList<>();
        List<String> numbers = new ArrayList<>();
        int body = -1;
        for (String line : ptx.split("\n", -1)) {
            Matcher number = NUMBER_OF_THREAD.matcher(line);
            if (number.matches() && unassigned.contains(number.group(1))) {
                numbers.add(line);
                continue;
            }
            lines.add(line);
            if (body < 0 && label(line.strip()) != null) {
                body = lines.size();
            }
        }
        lines.addAll(Math.max(body, 0), numbers);
        return String.join("\n", lines);
    }

    private @Nullable Block parse(String ptx) {
        Block first = null;
        Block block = null;
        for (String written : ptx.split("\n", -1)) {
            int comment = written.indexOf("//");
            String line = (comment < 0 ? written : written.substring(0, comment)).strip();
            String label = label(line);
            if (label != null) {
                Block begun = blocks.computeIfAbsent(label, any -> new Block());
                if (block != null) {
                    block.next.add(label);
                }
                first = first == null ? begun : first;
                block = begun;
                continue;
            }
            if (block == null) {
                continue; // the kernel's head, or what no way leads to
            }
            Matcher branch = BRANCH.matcher(line);
            if (branch.matches()) {
                block.next.add(branch.group(2));
                if (branch.group(1) == null) {
                    block = null;
                    continue;
                }
            }
            if (line.equals("ret;") || line.equals("exit;")) {
                block = null;
                continue;
            }
            add(block, line);
            if (branch.matches()) { // what follows is reached from here alone, but may know more than the target
                String following = "after " + blocks.size();
                block.next.add(following);
                block = blocks.computeIfAbsent(following, any -> new Block());
            }
        }
        return first;
    }

    private static @Nullable String label(String line) {
        return line.endsWith(":") && line.indexOf(' ') < 0 ? line.substring(0, line.length() - 1) : null;
    }

    /** Several instructions may stand in one line, in braces. */
    private void add(Block block, String line) {
        String plain = line.startsWith("{") && line.endsWith("}") ? line.substring(1, line.length() - 1) : line;
        for (String statement : plain.split(";")) {
            String instruction = statement.strip();
            if (instruction.startsWith(".")) {
                continue;
            }
            List<Integer> reads = new ArrayList<>();
            List<Integer> results = new ArrayList<>();
            int at = 0;
            if (instruction.startsWith("@")) {
                at = Math.max(instruction.indexOf(' '), 0);
                registers(instruction.substring(0, at), reads);
            }
            String operation = instruction.substring(at).strip();
            int operands = firstSpace(operation);
            String name = operation.substring(0, operands);
            String rest = operation.substring(operands).strip();
            int end = 0;
            if (!WITHOUT_RESULT.contains(name.split("\\.", 2)[0])) {
                end = rest.startsWith("{") ? rest.indexOf('}') + 1 : rest.indexOf(',');
                end = end < 0 ? rest.length() : end;
            }
            registers(rest.substring(0, end), results);
            registers(rest.substring(end), reads);
            block.reads.add(reads.stream().mapToInt(Integer::intValue).toArray());
            block.results.add(results.stream().mapToInt(Integer::intValue).toArray());
        }
    }

    private static int firstSpace(String text) {
        int i = 0;
        while (i < text.length() && !Character.isWhitespace(text.charAt(i))) {
            i++;
        }
        return i;
    }

    /** The registers that TornadoVM declares: r, two letters for the type, a number. */
    private void registers(String text, List<Integer> into) {
        int length = text.length();
        for (int i = 0; i < length; i++) {
            if (!part(text.charAt(i))) {
                continue;
            }
            int begin = i;
            while (i < length && part(text.charAt(i))) {
                i++;
            }
            if (isRegister(text, begin, i) && (begin == 0 || text.charAt(begin - 1) != '%')) {
                into.add(number(text.substring(begin, i)));
            }
        }
    }

    private static boolean part(char c) {
        return c == '_' || Character.isLetterOrDigit(c);
    }

    private static boolean isRegister(String text, int begin, int end) {
        if (end - begin < 4 || text.charAt(begin) != 'r') {
            return false;
        }
        for (int i = begin + 1; i < end; i++) {
            char c = text.charAt(i);
            if (i < begin + 3 ? c < 'a' || c > 'z' : c < '0' || c > '9') {
                return false;
            }
        }
        return true;
    }

    private int number(String register) {
        return numbers.computeIfAbsent(register, name -> {
            names.add(name);
            return names.size() - 1;
        });
    }

    private Set<String> unassigned(Block first) {
        first.before = new BitSet();
        Deque<Block> waiting = new ArrayDeque<>(List.of(first));
        Set<Block> reached = new LinkedHashSet<>();
        while (!waiting.isEmpty()) {
            Block block = waiting.remove();
            reached.add(block);
            BitSet set = (BitSet) Objects.requireNonNull(block.before).clone();
            block.results.forEach(results -> set(set, results));
            for (String label : block.next) {
                Block next = blocks.get(label);
                if (next != null && reach(next, set) && !waiting.contains(next)) {
                    waiting.add(next);
                }
            }
        }
        Set<String> unassigned = new TreeSet<>();
        for (Block block : reached) {
            BitSet set = (BitSet) Objects.requireNonNull(block.before).clone();
            for (int i = 0; i < block.reads.size(); i++) {
                for (int register : block.reads.get(i)) {
                    if (!set.get(register)) {
                        unassigned.add(names.get(register));
                    }
                }
                set(set, block.results.get(i));
            }
        }
        return unassigned;
    }

    private static void set(BitSet set, int[] registers) {
        for (int register : registers) {
            set.set(register);
        }
    }

    /** Takes along what is set on one more way to a block, and says whether that is news. */
    private static boolean reach(Block next, BitSet set) {
        if (next.before == null) {
            next.before = (BitSet) set.clone();
            return true;
        }
        int known = next.before.cardinality();
        next.before.and(set);
        return next.before.cardinality() != known;
    }
}
