package org.tornadodit.ptx;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an assembler made of a kernel.
 *
 * @param registers of a thread
 * @param spilledBytes that a thread stores beside its registers
 * @param sharedBytes static shared memory of a block
 * @param machineCode an ELF file
 */
record Assembly(int registers, int spilledBytes, int sharedBytes, byte[] machineCode) {
    private static final Pattern REGISTERS = Pattern.compile("Used (\\d+) registers");
    private static final Pattern SPILLED = Pattern.compile("(\\d+) bytes spill stores");
    private static final Pattern SHARED = Pattern.compile("(\\d+) bytes smem");

    /**
     * @param log what ptxas says with -v
     * @throws IllegalArgumentException when it lacks registers or spills
     */
    static Assembly of(String log, byte[] machineCode) {
        return new Assembly(number(REGISTERS, log), number(SPILLED, log), numberOr(SHARED, log, 0), machineCode);
    }

    private static int number(Pattern pattern, String log) {
        int number = numberOr(pattern, log, -1);
        if (number < 0) {
            throw new IllegalArgumentException("no \"" + pattern + "\" in the assembler's words: " + log);
        }
        return number;
    }

    private static int numberOr(Pattern pattern, String log, int otherwise) {
        Matcher matcher = pattern.matcher(log);
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : otherwise;
    }
}
