package org.tornadodit.ptx;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a block can have on a GPU (CUDA C++ Programming Guide, "Technical Specifications per Compute Capability").
 *
 * @param capability as 80
 * @param sharedBytes of a block, dynamic ones with it
 */
record CapabilityLimits(int capability, int sharedBytes) {
    private static final int KILOBYTE = 1024;
    private static final int REGISTERS = 65536;
    /** Registers are given to a warp in this many. */
    private static final int REGISTER_UNIT = 256;

    private static final int WARP = 32;
    private static final Pattern THREADS = Pattern.compile("\\.(?:maxntid|reqntid)\\s+(\\d+)");
    private static final Pattern TOGETHER = Pattern.compile("\\.minnctapersm\\s+(\\d+)");

    /** Those for which kernels are made. */
    static final List<CapabilityLimits> ALL = List.of(
            new CapabilityLimits(70, 96 * KILOBYTE),
            new CapabilityLimits(75, 64 * KILOBYTE),
            new CapabilityLimits(80, 163 * KILOBYTE),
            new CapabilityLimits(86, 99 * KILOBYTE),
            new CapabilityLimits(89, 99 * KILOBYTE),
            new CapabilityLimits(90, 227 * KILOBYTE),
            new CapabilityLimits(100, 227 * KILOBYTE),
            new CapabilityLimits(120, 99 * KILOBYTE));

    /** Of the machine code; with the letter where the text has it, as wgmma wants. */
    String target(KernelText text) {
        return "sm_" + capability + (text.ptx().contains(".target sm_" + capability + "a") ? "a" : "");
    }

    /** What is wrong with a kernel's machine code; empty where nothing is. */
    Optional<String> problem(KernelText text, Assembly assembly) {
        if (assembly.spilledBytes() > 0) {
            return Optional.of("spills " + assembly.spilledBytes() + " bytes");
        }
        int shared = text.sharedBytes() + assembly.sharedBytes();
        if (shared > sharedBytes) {
            return Optional.of("takes " + shared + " bytes of shared memory of " + sharedBytes);
        }
        int warps = number(THREADS, text.ptx()) / WARP * number(TOGETHER, text.ptx());
        int perWarp = (assembly.registers() * WARP + REGISTER_UNIT - 1) / REGISTER_UNIT * REGISTER_UNIT;
        if (warps * perWarp > REGISTERS) {
            return Optional.of("takes " + warps * perWarp + " registers of " + REGISTERS);
        }
        return Optional.empty();
    }

    private static int number(Pattern pattern, String ptx) {
        Matcher matcher = pattern.matcher(ptx);
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : 1;
    }
}
