package org.tornadodit.runner.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

class KernelArgumentsTest {

    @Command
    private static final class Some {
        @Mixin
        private final KernelArguments kernels = new KernelArguments();
    }

    private static Tier parse(String... arguments) {
        Some some = new Some();
        new CommandLine(some).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(arguments);
        return some.kernels.options().tier();
    }

    /** {@code tensor} is what wgmma was called before. */
    @ParameterizedTest
    @CsvSource({"auto, AUTO", "portable, PORTABLE", "mma, MMA", "wgmma, WGMMA", "WGMMA, WGMMA", "tensor, WGMMA"})
    void kernelsHaveTheWordsOfTheirTiers(String word, Tier tier) {
        assertEquals(tier, parse("--kernels", word));
        assertEquals(Tier.AUTO, parse());
    }

    @Test
    void otherWordsAreRefusedWithTheChoices() {
        ParameterException error = assertThrows(ParameterException.class, () -> parse("--kernels", "cuda"));
        assertTrue(
                error.toString()
                        .contains("expected one of [AUTO, PORTABLE, MMA, WGMMA] (case-insensitive) but was 'cuda'"),
                error.toString());
    }
}
