package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Assembles kernels that runs have kept, for the capability of each one's device, with the assemblers that are at hand, and says what it
 * left out. CONTRIBUTING.md has the commands.
 */
@Tag("assemble")
class AssembleTest {
    private static final int LAST_OF_CUDA_12 = 70;

    @Test
    void kernelsFitTheirGpus() throws IOException {
        Path folder = folder();
        List<KeptText> kernels = Files.isDirectory(folder) ? KeptText.all(folder) : List.of();
        Optional<Ptxas> ptxas =
                Ptxas.find(System.getProperty("assemble.ptxas"), System.getenv("PATH"), System.getenv("CUDA_HOME"));
        String library = System.getProperty("assemble.nvjitlink");
        List<String> problems = new ArrayList<>();
        for (CapabilityLimits limits : CapabilityLimits.ALL) {
            String target = "sm_" + limits.capability();
            List<KeptText> own = kernels.stream()
                    .filter(kernel -> kernel.capability() == limits.capability())
                    .toList();
            boolean old = limits.capability() == LAST_OF_CUDA_12;
            if (own.isEmpty()) {
                System.out.println(target + ": skipped: no kernels for this capability in " + folder);
            } else if (old && (library == null || !Files.exists(Path.of(library)))) {
                System.out.println(target + ": skipped: no libnvJitLink.so.12, which -Passemble-volta fetches");
            } else if (!old && ptxas.isEmpty()) {
                System.out.println(target + ": skipped: no ptxas in PATH, CUDA_HOME/bin or -Dassemble.ptxas");
            } else {
                assemble(own, limits, old ? new JitLinker(Path.of(library)) : ptxas.get(), problems);
            }
        }
        assertTrue(problems.isEmpty(), String.join("\n", problems));
    }

    private static Path folder() {
        String given = System.getProperty("assemble.kernels");
        if (given != null) {
            return Path.of(given);
        }
        String cache = System.getenv("XDG_CACHE_HOME");
        return (cache == null ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache))
                .resolve("tornado-dit/kernels");
    }

    private static void assemble(
            List<KeptText> kernels, CapabilityLimits limits, Assembler assembler, List<String> problems)
            throws IOException {
        // The most of each kernel's variants.
        Map<String, int[]> most = new TreeMap<>();
        Map<String, String> loops = new TreeMap<>();
        for (KeptText kernel : kernels) {
            String target = limits.target(kernel.text());
            String where = target + " " + kernel.kernel();
            try {
                Assembly assembly = assembler.assemble(kernel.text().ptx(), target);
                limits.problem(kernel.text(), assembly).ifPresent(problem -> problems.add(where + " " + problem));
                int[] sizes = most.computeIfAbsent(kernel.kernel(), name -> new int[4]);
                sizes[0]++;
                sizes[1] = Math.max(sizes[1], assembly.registers());
                sizes[2] = Math.max(sizes[2], assembly.spilledBytes());
                sizes[3] = Math.max(sizes[3], kernel.text().sharedBytes() + assembly.sharedBytes());
                MachineCode.innerLoop(assembly.machineCode(), limits.capability())
                        .ifPresent(loop -> loops.merge(
                                kernel.kernel(),
                                " %d/%d".formatted(loop.hmma(), loop.instructions()),
                                (a, b) -> a.contains(b) ? a : a + b));
            } catch (Assembler.AssemblerException e) {
                problems.add(where + " is refused: " + e.getMessage());
            }
        }
        System.out.printf(
                "sm_%d: %d kernels by %s, shared memory of a block at most %d%n",
                limits.capability(), kernels.size(), assembler.name(), limits.sharedBytes());
        most.forEach((name, sizes) -> System.out.printf(
                "  %-44s %3d texts, registers up to %3d, spilled %d, shared memory up to %6d%s%n",
                name,
                sizes[0],
                sizes[1],
                sizes[2],
                sizes[3],
                loops.containsKey(name) ? ", HMMA of the inner loop's instructions" + loops.get(name) : ""));
    }
}
