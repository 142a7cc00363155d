package org.tornadodit.model.io.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.io.PickleWriter;
import org.tornadodit.model.io.TestFiles;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.tensor.StoredTensor;

class LegacyTorchFileTest {

    private static final byte[] MAGIC = {
        (byte) 0x80,
        2,
        (byte) 0x8a,
        10,
        0x6c,
        (byte) 0xfc,
        (byte) 0x9c,
        0x46,
        (byte) 0xf9,
        0x20,
        0x6a,
        (byte) 0xa8,
        0x50,
        0x19,
        '.'
    };
    private static final Path FILE = Path.of("legacy.pt");
    private static final byte[] SYSTEM =
            new PickleWriter().op('}').text("little_endian").raw(0x88).op('s').end();

    @Test
    void readsAHandmadeFile() throws IOException {
        byte[] file = file(1001, SYSTEM, dict(3), keys("0"), 3, 12);
        assertEquals(1, parse(file).size());
    }

    @Test
    void refusesWhatDoesNotFit() throws IOException {
        assertRefused("protocol version 1001", file(1000, SYSTEM, dict(3), keys("0"), 3, 12));
        assertRefused("byte order", file(1001, new PickleWriter().op('}').end(), dict(3), keys("0"), 3, 12));
        assertRefused("12 bytes", file(1001, SYSTEM, dict(3), keys("0"), 4, 12));
        assertRefused("elements of 4 bytes", file(1001, SYSTEM, dict(3), keys("0"), Long.MAX_VALUE, 12));
        assertRefused("elements of 4 bytes", file(1001, SYSTEM, dict(3), keys("0"), -1, 12));
        assertRefused("its storage", file(1001, SYSTEM, dict(4), keys("0"), 3, 12));
        assertRefused("another key", file(1001, SYSTEM, dict(3), keys("1"), 3, 12));
        assertRefused("another key", file(1001, SYSTEM, dict(3), keys("0", "0"), 3, 12));
        assertRefused("its data, found none", file(1001, SYSTEM, dict(3), keys(), 3, 12));
        byte[] call = new PickleWriter()
                .global("posix", "system")
                .op('(')
                .text("true")
                .op('t', 'R')
                .end();
        assertRefused("posix.system", file(1001, SYSTEM, call, keys("0"), 3, 12));
    }

    /** A file cut anywhere, or with a changed byte anywhere, is read or refused, never anything else. */
    @Test
    void survivesDamage() throws IOException {
        byte[] file = Files.readAllBytes(TestFiles.resource("legacy.pt"));
        for (int length = 0; length < file.length; length++) {
            byte[] cut = Arrays.copyOf(file, length);
            assertRefused("legacy.pt: ", cut);
        }
        long seed = 20261122;
        Random random = new Random(seed);
        for (int i = 0; i < 3000; i++) {
            byte[] changed = file.clone();
            changed[random.nextInt(file.length)] = (byte) random.nextInt();
            try {
                parse(changed);
            } catch (CheckpointException refused) {
                assertEquals(1, String.valueOf(refused.getMessage()).lines().count(), "seed " + seed + ", " + i);
            }
        }
    }

    private static Map<String, StoredTensor> parse(byte[] file) {
        return LegacyTorchFile.parse(FILE, MemorySegment.ofArray(file));
    }

    private static void assertRefused(String part, byte[] file) {
        CheckpointException refused = assertThrows(CheckpointException.class, () -> parse(file));
        assertTrue(String.valueOf(refused.getMessage()).contains(part), refused.getMessage());
    }

    /** A dict of one tensor (3) over storage 0. */
    private static byte[] dict(long elements) {
        return new PickleWriter()
                .op('}')
                .text("w")
                .tensor("FloatStorage", elements, 0, new long[] {3}, new long[] {1})
                .op('s')
                .end();
    }

    private static byte[] keys(String... keys) {
        PickleWriter writer = new PickleWriter().op(']');
        for (String key : keys) {
            writer.text(key).op('a');
        }
        return writer.end();
    }

    private static byte[] file(int version, byte[] system, byte[] dict, byte[] keys, long elements, int bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(MAGIC);
        out.writeBytes(new byte[] {(byte) 0x80, 2, 'M', (byte) version, (byte) (version >> 8), '.'});
        out.writeBytes(system);
        out.writeBytes(dict);
        out.writeBytes(keys);
        out.writeBytes(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(elements)
                .array());
        out.writeBytes(new byte[bytes]);
        return out.toByteArray();
    }
}
