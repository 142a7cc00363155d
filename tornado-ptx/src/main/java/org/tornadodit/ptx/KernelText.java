package org.tornadodit.ptx;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A kernel's PTX as the driver gets it. The text depends on the kernel's code alone: the driver keeps machine code under
 * the text that it was made of, in all processes and for all devices of a kind.
 *
 * @param entry name of the kernel in the text
 * @param sharedBytes dynamic shared memory that a launch needs
 * @param marked whether it had {@code //!} lines, see {@link SecondText}
 */
record KernelText(String entry, String ptx, int sharedBytes, boolean marked) {

    private static final Pattern LABEL = Pattern.compile("\\b" + InstructionStatement.LABEL + "(\\d+)\\b");
    private static final String DECLARATION = "\t.reg ";

    /** An element of an array of the work group by a 64-bit index. */
    private static final Pattern BYTES_FOR_INDEX = Pattern.compile("\\bst\\.shared\\.\\w+\\s+\\w+Arr\\d+\\[rsd\\d+\\]");

    /**
     * Makes the text of what TornadoVM wrote: there the kernel's name holds its task's, and the identity of its
     * KernelContext; registers are declared in the order of a hash map; and labels of instructions hold their place in
     * the text, which depends on the length of that name.
     *
     * @param name the kernel's in the text
     * @param entry the name that it gets
     * @throws IllegalStateException when the text would write beyond shared memory, or read what was not set
     */
    static KernelText of(String written, String name, String entry) {
        if (BYTES_FOR_INDEX.matcher(written).find()) {
            throw new IllegalStateException("kernel " + entry + " hands a local array to a method: TornadoVM takes the"
                    + " method's index for a place in bytes; use the array in the kernel itself");
        }
        String named = written.replace(name, entry);
        String ordered = withOrderedDeclarations(named);
        String text = withNumberedLabels(ordered);
        if (!SecondText.isNeeded(text)) {
            return new KernelText(entry, assigned(entry, text), 0, false);
        }
        SecondText second = SecondText.of(text);
        return new KernelText(entry, assigned(entry, second.ptx()), second.sharedBytes(), true);
    }

    private static String assigned(String entry, String text) {
        Set<String> unassigned = DefiniteAssignment.unassigned(text);
        if (unassigned.isEmpty()) {
            return text;
        }
        String assigned = DefiniteAssignment.withNumbersOfThreadsFirst(text, unassigned);
        Set<String> left = DefiniteAssignment.unassigned(assigned);
        if (!left.isEmpty()) {
            throw new IllegalStateException("kernel " + entry + " would read registers that nothing has set: "
                    + String.join(", ", left) + "; TornadoVM wrote it so, write the kernel another way");
        }
        return assigned;
    }

    private static String withOrderedDeclarations(String text) {
        List<String> lines = new ArrayList<>();
        List<String> declarations = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            if (line.startsWith(DECLARATION)) {
                declarations.add(line);
                continue;
            }
            declarations.sort(null);
            lines.addAll(declarations);
            declarations.clear();
            lines.add(line);
        }
        declarations.sort(null);
        lines.addAll(declarations);
        return String.join("\n", lines);
    }

    private static String withNumberedLabels(String text) {
        Map<String, Integer> numbers = new HashMap<>();
        Matcher matcher = LABEL.matcher(text);
        StringBuilder result = new StringBuilder(text.length());
        while (matcher.find()) {
            int number = numbers.computeIfAbsent(matcher.group(1), any -> numbers.size() + 1);
            matcher.appendReplacement(result, InstructionStatement.LABEL + number);
        }
        return matcher.appendTail(result).toString();
    }

    /** For {@link #read}. */
    byte[] bytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeUTF(entry);
            out.writeInt(sharedBytes);
            out.writeBoolean(marked);
            byte[] text = ptx.getBytes(StandardCharsets.UTF_8);
            out.writeInt(text.length);
            out.write(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** @throws IllegalArgumentException when these are not the bytes of a kernel's text */
    static KernelText read(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            String entry = in.readUTF();
            int sharedBytes = in.readInt();
            boolean marked = in.readBoolean();
            int length = in.readInt();
            byte[] text = in.readNBytes(Math.max(0, length));
            if (text.length != length || in.read() >= 0) {
                throw new IllegalArgumentException("has another length than it says");
            }
            return new KernelText(entry, new String(text, StandardCharsets.UTF_8), sharedBytes, marked);
        } catch (IOException e) {
            throw new IllegalArgumentException("ends too early", e);
        }
    }
}
