package org.tornadodit.pipeline.setup;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders of a user are where the system's variables say. */
class MachineTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    /** As the XDG base directory specification has it, and {@code dit}: else each folder that one works in would get one. */
    @Test
    void relativeFoldersDoNotCount() {
        Path usual = cache(Map.of());
        assertEquals(folder.resolve("tornado-dit"), cache(Map.of("XDG_CACHE_HOME", folder.toString())));
        assertEquals(usual, cache(Map.of("XDG_CACHE_HOME", "caches")));
        assertEquals(usual, cache(Map.of("XDG_CACHE_HOME", "")));
    }

    private static Path cache(Map<String, String> environment) {
        return Machine.folder(environment, "no.such.property", "XDG_CACHE_HOME", "no-mac", ".cache", "tornado-dit");
    }
}
