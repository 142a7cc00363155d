package org.tornadodit.runner.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What a server asks for is what was said, to the letter. */
class ServeTokenTest {
    private static @Nullable String token(@Nullable String fromEnvironment, String... words) {
        ServeCommand command = new ServeCommand();
        new CommandLine(command).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(words);
        return command.token(fromEnvironment);
    }

    @Test
    void nothingInATokenIsReplaced() {
        for (String token : new String[] {"abc$$def12345", "abc${sys:user.name}12345", "${sys:nosuch.property}12345"}) {
            assertEquals(token, token(token));
            assertEquals(token, token("another", "--token", token));
        }
    }

    @Test
    void noneIsNone() {
        assertNull(token(null));
        assertNull(token(""));
        assertNull(token("another", "--token", ""));
    }
}
