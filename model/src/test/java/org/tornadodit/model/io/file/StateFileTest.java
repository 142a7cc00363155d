package org.tornadodit.model.io.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.SafetensorsWriter;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;

class StateFileTest {
    private static final Shape SHAPE = Shape.of(1, 2, 2);
    private static final float[] LATENTS = {1, -2.5f, Float.MIN_VALUE, 0};
    private static final Map<String, String> FACTS = Map.of("--seed", "0", "model", "\"quotes\" and\nlines");
    private static final Consumer<Map<String, String>> ANY = facts -> {};

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path file;

    @BeforeEach
    void write() throws IOException {
        file = folder.resolve("a.state.safetensors");
        new StateFile(FACTS, SHAPE, List.of(LATENTS)).write(file);
    }

    @Test
    void comesBackAsItWas() throws IOException {
        StateFile read = StateFile.read(file, facts -> assertEquals(FACTS, facts), SHAPE, 1);
        assertEquals(FACTS, read.facts());
        assertArrayEquals(LATENTS, read.arrays().getFirst());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(1, files.count(), "files in the folder");
        }
    }

    /** Other programs may look at the latents. */
    @Test
    void isASafetensorsFile() {
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            assertArrayEquals(LATENTS, checkpoint.tensor("latents").toArray());
        }
    }

    @Test
    void anyByteThatChangedIsNoticed() throws IOException {
        byte[] good = Files.readAllBytes(file);
        for (int i = 0; i < good.length; i++) {
            for (int flip : new int[] {1, 0x20, 0x80}) {
                byte[] bad = good.clone();
                bad[i] ^= (byte) flip;
                refused(bad, "byte " + i + " with " + flip);
            }
        }
    }

    @Test
    void anyOtherLengthIsNoticed() throws IOException {
        byte[] good = Files.readAllBytes(file);
        for (int length = 0; length < good.length; length++) {
            refused(Arrays.copyOf(good, length), length + " bytes");
        }
        refused(Arrays.copyOf(good, good.length + 1), "a byte more");
    }

    @Test
    void foreignFilesAreRefused() throws IOException {
        refused(new SafetensorsWriter().add("latents", SHAPE, LATENTS).end(), "a model");
        refused(SafetensorsWriter.file("{\"__metadata__\":{\"format\":{}}}"), "an object for a text");
        refused(SafetensorsWriter.file("[".repeat(100_000)), "deep nesting");
        byte[] endless = new byte[16];
        Arrays.fill(endless, (byte) 0x7f);
        refused(endless, "an endless header");
        CheckpointException missing =
                assertThrows(CheckpointException.class, () -> StateFile.read(folder.resolve("none"), ANY, SHAPE, 1));
        assertTrue(String.valueOf(missing.getMessage()).contains("no such file"), missing.getMessage());
        assertThrows(CheckpointException.class, () -> StateFile.read(folder, ANY, SHAPE, 1));
        assertThrows(CheckpointException.class, () -> StateFile.read(file, ANY, Shape.of(1 << 20, 2, 2), 1));
    }

    /** What a sampler keeps from step to step goes with the latents. */
    @Test
    void aHistoryComesBackAsItWas() throws IOException {
        float[] history = {0.25f, -8, 3, -0.0f};
        new StateFile(FACTS, SHAPE, List.of(LATENTS, history)).write(file);
        StateFile read = StateFile.read(file, ANY, SHAPE, 2);
        assertEquals(2, read.arrays().size());
        assertArrayEquals(LATENTS, read.arrays().getFirst());
        assertArrayEquals(history, read.arrays().get(1));
        assertTrue(StateFile.isState(file));
        byte[] good = Files.readAllBytes(file);
        refused(good, 1, "a history that is not wanted");
        refused(good, 3, "a history that is too short");
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 0x20;
            refused(bad, 2, "byte " + i);
        }
    }

    /** What earlier versions wrote: the bytes of a state without a history have not changed. */
    @Test
    void statesOfEarlierVersionsAreRead() throws IOException {
        String digest = "8db835cd6fdba9b2338a03d88d66a83beaead0b0f5b2bff2c46706ff7b253716";
        byte[] header = ("{\"__metadata__\":{\"a\":\"b\",\"format\":\"tornado-dit state 1\",\"sha256\":\"" + digest
                        + "\"},\"latents\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}")
                .getBytes(StandardCharsets.UTF_8);
        ByteBuffer old = ByteBuffer.allocate(8 + header.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        old.putLong(header.length).put(header).putFloat(1.5f);
        Files.write(file, old.array());
        StateFile read = StateFile.read(file, ANY, Shape.of(1), 1);
        assertEquals(Map.of("a", "b"), read.facts());
        assertArrayEquals(new float[] {1.5f}, read.arrays().getFirst());
        Path again = folder.resolve("again");
        read.write(again);
        assertArrayEquals(old.array(), Files.readAllBytes(again));
    }

    /** A state of another run is refused for what it says, before its latents are looked at. */
    @Test
    void theFactsAreCheckedFirst() {
        IllegalArgumentException wish = new IllegalArgumentException("another seed");
        assertEquals(
                wish,
                assertThrows(
                        IllegalArgumentException.class,
                        () -> StateFile.read(
                                file,
                                facts -> {
                                    throw wish;
                                },
                                Shape.of(3, 3),
                                1)));
    }

    private void refused(byte[] content, String what) throws IOException {
        refused(content, 1, what);
    }

    private void refused(byte[] content, int count, String what) throws IOException {
        Path bad = Files.write(folder.resolve("bad"), content);
        CheckpointException refusal =
                assertThrows(CheckpointException.class, () -> StateFile.read(bad, ANY, SHAPE, count), what);
        assertFalse(String.valueOf(refusal.getMessage()).contains("\n"), what);
    }
}
