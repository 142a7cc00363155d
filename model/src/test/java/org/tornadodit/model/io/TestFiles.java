package org.tornadodit.model.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.function.Executable;
import org.tornadodit.model.io.file.CheckpointException;

/** Fixtures, and the check that every refusal has to pass. */
public final class TestFiles {

    private TestFiles() {}

    public static Path resource(String name) {
        URL url = Objects.requireNonNull(TestFiles.class.getResource("/io/" + name), name);
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The message of the CheckpointException that is thrown, which must be one printable line. */
    public static String refusal(Executable reading) {
        String message =
                String.valueOf(assertThrows(CheckpointException.class, reading).getMessage());
        assertEquals(1, message.lines().count(), message);
        assertTrue(message.chars().noneMatch(Character::isISOControl), message);
        System.out.println(message);
        return message;
    }
}
