package org.tornadodit.ptx;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** CUDA's assembler as a program. */
record Ptxas(Path program, String name) implements Assembler {
    private static final Pattern RELEASE = Pattern.compile("release ([0-9.]+)");

    /**
     * The first of the property assemble.ptxas, a folder of PATH and CUDA_HOME/bin.
     *
     * @param property the property's value, or null
     */
    static Optional<Ptxas> find(@Nullable String property, @Nullable String path, @Nullable String cudaHome) {
        List<Path> places = new ArrayList<>();
        if (property != null) {
            places.add(Path.of(property));
        } else {
            for (String folder : path == null ? new String[0] : path.split(File.pathSeparator, -1)) {
                places.add(Path.of(folder, "ptxas"));
            }
            if (cudaHome != null) {
                places.add(Path.of(cudaHome, "bin", "ptxas"));
            }
        }
        return places.stream().filter(Files::isExecutable).findFirst().map(Ptxas::of);
    }

    private static Ptxas of(Path program) {
        try {
            Matcher release = RELEASE.matcher(words(List.of(program.toString(), "--version")));
            return new Ptxas(program, "ptxas" + (release.find() ? " of CUDA " + release.group(1) : ""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Assembly assemble(String ptx, String target) throws IOException {
        Path text = Files.createTempFile("kernel", ".ptx");
        Path machineCode = Files.createTempFile("kernel", ".cubin");
        try {
            Files.writeString(text, ptx);
            String words = words(List.of(
                    program.toString(), "-arch=" + target, "-v", text.toString(), "-o", machineCode.toString()));
            return Assembly.of(words, Files.readAllBytes(machineCode));
        } finally {
            Files.delete(text);
            Files.delete(machineCode);
        }
    }

    private static String words(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String words = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            int status = process.waitFor();
            if (status != 0) {
                throw new AssemblerException("exit status " + status + ": " + words.strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return words;
    }
}
