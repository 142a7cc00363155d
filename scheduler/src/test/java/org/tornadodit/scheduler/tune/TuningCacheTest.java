package org.tornadodit.scheduler.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.Variant;
import org.tornadodit.scheduler.engine.Tuning;

/** A file of the cache is used when it is ours and whole, and else costs one line. */
class TuningCacheTest {
    private static final TuningKey KEY =
            new TuningKey("NVIDIA H200", "9.0", "580.159.04", "5.2.0-jdk25", "0.1.0", "highest");
    private static final OperationShape OPERATION = OperationShape.of("linear, gelu", 16384, 4608, 1152);
    private static final Tuning TUNING = new Tuning(Map.of(
            OPERATION,
            Variant.of("columns", 192).and("stages", 3),
            OperationShape.of("layerNorm", 16, 1024, 1152),
            Variant.of("rows", 8)));

    @TempDir
    Path folder;

    @Test
    void givesBackWhatWasStored() throws IOException {
        TuningCache cache = new TuningCache(folder.resolve("new/folder"));
        assertEquals(Tuning.NONE, cache.load(KEY).tuning());
        assertEquals(Optional.empty(), cache.load(KEY).ignored());
        cache.store(KEY, TUNING);
        assertEquals(TUNING, cache.load(KEY).tuning());
        assertEquals(Optional.empty(), cache.load(KEY).ignored());
    }

    @Test
    void aKeyIsNotServedByAnothersFile() throws IOException {
        TuningCache cache = new TuningCache(folder);
        cache.store(KEY, TUNING);
        TuningKey newer = new TuningKey("NVIDIA H200", "9.0", "590.1", "5.2.0-jdk25", "0.1.0", "highest");
        assertEquals(Tuning.NONE, cache.load(newer).tuning());
        assertEquals(Optional.empty(), cache.load(newer).ignored());

        // The same file under the other key's name, as a copied cache folder may have it.
        Files.copy(folder.resolve(KEY.fileName()), folder.resolve(newer.fileName()));
        assertIgnored(cache, newer, "is for the driver \"580.159.04\", not \"590.1\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "null",
                "{}",
                "{\"format\": 1}",
                "{\"format\": \"x\"}",
                "{\"format\": 1, \"key\": {}, \"choices\": []}",
                "{\"format\": 1, \"key\": 3, \"choices\": []}",
                "\u0000\u0001\u0002"
            })
    void aCorruptedFileIsIgnored(String content) throws IOException {
        Files.writeString(folder.resolve(KEY.fileName()), content);
        assertIgnored(new TuningCache(folder), KEY, "it is not a tuning cache");
    }

    @Test
    void aFileThatIsNotTextIsIgnored() throws IOException {
        Files.write(folder.resolve(KEY.fileName()), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
        assertIgnored(new TuningCache(folder), KEY, "it cannot be read");
    }

    @Test
    void aDamagedChoiceSpoilsTheFile() throws IOException {
        TuningCache cache = new TuningCache(folder);
        cache.store(KEY, TUNING);
        Path file = folder.resolve(KEY.fileName());
        String json = Files.readString(file);
        for (String damaged : List.of(
                json.replace("192", "\"many\""), json.replace("192", "1e99"), json.replace("\"shape\"", "\"form\""))) {
            Files.writeString(file, damaged);
            assertIgnored(cache, KEY, "it is not a tuning cache");
        }
    }

    @Test
    void aFileOfANewerFormatIsIgnored() throws IOException {
        TuningCache cache = new TuningCache(folder);
        cache.store(KEY, TUNING);
        Path file = folder.resolve(KEY.fileName());
        Files.writeString(file, Files.readString(file).replace("\"format\": 1", "\"format\": 2"));
        assertIgnored(cache, KEY, "it has format 2, this version reads 1");
    }

    @Test
    void aHugeFileIsNotRead() throws IOException {
        Files.write(folder.resolve(KEY.fileName()), new byte[(1 << 20) + 1]);
        assertIgnored(new TuningCache(folder), KEY, "it is larger than any tuning cache");
    }

    @Test
    void aFolderInTheFilesPlaceIsIgnored() throws IOException {
        Files.createDirectory(folder.resolve(KEY.fileName()));
        assertIgnored(new TuningCache(folder), KEY, "it cannot be read");
    }

    @Test
    void aVariantThatTheKernelNoLongerHasIsTheDefault() {
        List<Variant> variants = List.of(Variant.of("columns", 128), Variant.of("columns", 256));
        assertEquals(variants.getFirst(), TUNING.choose(OPERATION, variants));
        assertEquals(variants.getFirst(), Tuning.NONE.choose(OPERATION, variants));
        Tuning known = new Tuning(Map.of(OPERATION, Variant.of("columns", 256)));
        assertEquals(variants.getLast(), known.choose(OPERATION, variants));
    }

    private static void assertIgnored(TuningCache cache, TuningKey key, String reason) {
        TuningCache.Loaded loaded = cache.load(key);
        assertEquals(Tuning.NONE, loaded.tuning());
        String line = loaded.ignored().orElse("not ignored");
        assertTrue(line.startsWith("ignored ") && line.contains(reason), line);
        assertEquals(1, line.lines().count(), line);
    }
}
