package org.tornadodit.runner.bulk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.model.io.file.FactsFile;
import org.tornadodit.model.io.numpy.NpyArray;
import org.tornadodit.model.io.numpy.NpzFile;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.RgbImage;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.runner.CommandLineRun;
import org.tornadodit.runner.terminal.ExitCode;

class BulkCommandTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private TinyModelFiles model;

    @SuppressWarnings("NullAway.Init") // set before each test
    private BulkRuns runs;

    @BeforeEach
    void writeModel() throws IOException {
        model = TinyModelFiles.write(Files.createDirectory(folder.resolve("model")));
        runs = new BulkRuns(model);
    }

    @AfterEach
    void oneDevice() {
        HostRuntime.get().setDeviceCount(1);
    }

    private static CommandLineRun done(CommandLineRun run) {
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        return run;
    }

    private static void assertLine(int exitCode, String part, CommandLineRun run) {
        assertEquals(exitCode, run.exitCode(), run.err());
        List<String> lines =
                run.err().lines().filter(line -> line.startsWith("dit: ")).toList();
        assertEquals(1, lines.size(), run.err());
        assertTrue(lines.getFirst().contains(part), lines.getFirst());
    }

    @Test
    void anyShardsBatchesAndThreadsMakeTheSamePicturesAndTheSameFile() throws Exception {
        Path whole = folder.resolve("whole");
        CommandLineRun one = done(runs.run(whole, "--num-samples", 11, "--seed", 3, "--per-proc-batch-size", 4));
        assertTrue(one.out().contains("shard 0/1 is complete, 11 pictures, 11 of them made now"), one.out());
        Path parts = folder.resolve("parts");
        for (Object[] options : new Object[][] {
            {"--shard", "2/3", "--per-proc-batch-size", 1, "--threads", 1},
            {"--shard", "0/3", "--per-proc-batch-size", 3, "--threads", 2},
            {"--shard", "1/3"}
        }) {
            Object[] all =
                    Arrays.copyOf(new Object[] {"--num-fid-samples", 11, "--global-seed", 3}, 4 + options.length);
            System.arraycopy(options, 0, all, 4, options.length);
            done(runs.run(parts, all));
        }
        assertEquals(11, BulkRuns.pictures(whole).size());
        assertEquals(BulkRuns.pictures(whole), BulkRuns.pictures(parts));
        assertEquals(FactsFile.read(whole.resolve("manifest.json")), FactsFile.read(parts.resolve("manifest.json")));

        done(BulkRuns.collect(whole));
        done(BulkRuns.collect(parts));
        byte[] npz = Files.readAllBytes(folder.resolve("whole.npz"));
        assertArrayEquals(npz, Files.readAllBytes(folder.resolve("parts.npz")));
        assertEquals(
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(npz)) + "  whole.npz\n",
                Files.readString(folder.resolve("whole.npz.sha256")));
        NpyArray array =
                Objects.requireNonNull(NpzFile.read(folder.resolve("whole.npz")).get("arr_0"));
        RgbImage fifth = ImageFiles.read(whole.resolve("000005.png"));
        assertEquals(Shape.of(11, fifth.height(), fifth.width(), 3), array.shape());
        byte[] all = array.data().toArray(ValueLayout.JAVA_BYTE);
        int size = fifth.levels().length;
        assertArrayEquals(fifth.levels(), Arrays.copyOfRange(all, 5 * size, 6 * size));
    }

    /** Also with noise in every step, from both generators: picture 4 of seed 7 is sample's of seed 7000004. */
    @Test
    void sampleMakesAPictureAgain() throws IOException {
        for (String rng : List.of("cuda", "cpu")) {
            Path output = folder.resolve(rng);
            done(runs.run(output, "--num-samples", 5, "--seed", 7, "--rng", rng, "--labels", "uniform"));
            Path again = folder.resolve(rng + ".png");
            done(CommandLineRun.of(
                    model.sample("--like", output.resolve("000004.png"), "--device", "cpu", "--output", again)
                            .toArray()));
            assertArrayEquals(Files.readAllBytes(output.resolve("000004.png")), Files.readAllBytes(again));
            PictureFacts facts = PictureFacts.read(again).orElseThrow();
            assertEquals("7000004", facts.facts().get("seed"));
            assertEquals("4", facts.facts().get("class-labels"));
        }
    }

    @Test
    void devicesMakeTheSamePicturesInAnyNumber() {
        HostRuntime.get().setDeviceCount(2);
        Path one = folder.resolve("one");
        Path two = folder.resolve("two");
        done(runs.run(one, "--num-samples", 3, "--devices", "cpu:1", "--per-proc-batch-size", 1));
        done(runs.run(two, "--num-samples", 3, "--devices", "cpu:2", "--per-proc-batch-size", 1));
        assertEquals(BulkRuns.pictures(one), BulkRuns.pictures(two));
        assertLine(
                ExitCode.PERMANENT,
                "engine is cpu, vectors of ",
                runs.run(one, "--num-samples", 3)); // whose rounding is another
    }

    @Test
    void whatIsMissingOrTornIsMadeAgainAndNothingElse() throws IOException {
        Path output = folder.resolve("run");
        done(runs.run(output, "--num-samples", 6));
        Map<String, List<Byte>> before = BulkRuns.pictures(output);
        Files.delete(output.resolve("000001.png"));
        try (FileChannel cut = FileChannel.open(output.resolve("000002.png"), StandardOpenOption.WRITE)) {
            cut.truncate(cut.size() - 20);
        }
        byte[] bytes = Files.readAllBytes(output.resolve("000004.png"));
        bytes[bytes.length - 30] ^= 1; // within the rows
        Files.write(output.resolve("000004.png"), bytes);
        Files.write(output.resolve(".dit-0123456789abcdef-left-by-a-kill.part"), new byte[100]);
        Path kept = output.resolve("000003.png");
        var time = Files.getLastModifiedTime(kept);

        assertLine(ExitCode.FAILURE, "1 of 6 pictures of", BulkRuns.collect(output));
        CommandLineRun again = done(runs.run(output, "--num-samples", 6));
        assertTrue(again.out().contains("6 pictures, 3 of them made now"), again.out());
        assertTrue(again.err().contains("000002.png: damaged image: it is truncated; it is made again"), again.err());
        assertTrue(again.err().contains("000004.png: damaged image: "), again.err());
        assertEquals(before, BulkRuns.pictures(output));
        assertEquals(time, Files.getLastModifiedTime(kept));
        assertFalse(Files.exists(output.resolve(".dit-0123456789abcdef-left-by-a-kill.part")));

        CommandLineRun third = done(runs.run(output, "--num-samples", 6));
        assertTrue(third.out().contains("6 pictures, 0 of them made now"), third.out());
    }

    @Test
    void anotherConfigurationIsRefusedByWhatDiffers() throws IOException {
        Path output = folder.resolve("run");
        done(runs.run(output, "--num-samples", 2));
        Map<String, List<Byte>> before = BulkRuns.pictures(output);
        assertLine(
                ExitCode.PERMANENT,
                "holds pictures of another run: num-samples is 3 here, 2 there; labels-sha256 is ",
                runs.run(output, "--num-samples", 3));
        for (Object[] other : new Object[][] {
            {"--seed", 1, "seed is 1 here, 0 there"},
            {"--cfg-scale", 4, "cfg-scale is 4.0 here, 1.5 there"},
            {"--sampler", "ddim", "sampler is ddim here, ddpm there"},
            {"--rng", "cpu", "rng is cpu here, cuda there"},
            {"--labels", "uniform", "labels is uniform here, random there"}
        }) {
            assertLine(
                    ExitCode.PERMANENT, other[2].toString(), runs.run(output, "--num-samples", 2, other[0], other[1]));
        }
        assertEquals(before, BulkRuns.pictures(output));
        Files.writeString(output.resolve("manifest.json"), "{\"format\": \"tornado-dit bulk 2\"}");
        assertLine(ExitCode.PERMANENT, "found the format", runs.run(output, "--num-samples", 2));
        Files.writeString(output.resolve("manifest.json"), "[]");
        assertLine(ExitCode.PERMANENT, "expected a JSON object of texts", runs.run(output, "--num-samples", 2));
        Files.delete(output.resolve("manifest.json"));
        assertLine(ExitCode.PERMANENT, "but no manifest.json", runs.run(output, "--num-samples", 2));
        assertLine(ExitCode.PERMANENT, "has no manifest.json", BulkRuns.collect(output));
    }

    @Test
    void aForeignFileIsNamedAndStays() throws IOException {
        Path output = folder.resolve("run");
        Path other = folder.resolve("other");
        done(runs.run(output, "--num-samples", 2));
        done(runs.run(other, "--num-samples", 2, "--seed", 5));

        Path note = Files.writeString(output.resolve("note.txt"), "mine");
        assertLine(ExitCode.PERMANENT, "note.txt is none of the 2 pictures", runs.run(output, "--num-samples", 2));
        assertLine(ExitCode.PERMANENT, "note.txt is none of the 2 pictures", BulkRuns.collect(output));
        assertEquals("mine", Files.readString(note));
        Files.delete(note);

        byte[] theirs = Files.readAllBytes(other.resolve("000001.png"));
        Files.write(output.resolve("000001.png"), theirs);
        assertLine(
                ExitCode.PERMANENT,
                "000001.png is none of this run's pictures: seed 5000001, not 1",
                runs.run(output, "--num-samples", 2));
        assertLine(ExitCode.PERMANENT, "seed 5000001, not 1", BulkRuns.collect(output));
        assertArrayEquals(theirs, Files.readAllBytes(output.resolve("000001.png")));
        assertFalse(Files.exists(folder.resolve("run.npz")));

        for (String text : List.of("my notes", "\0PNG of mine")) { // by a picture's name, but no picture begins so
            Files.writeString(output.resolve("000001.png"), text);
            assertLine(
                    ExitCode.PERMANENT,
                    "000001.png is none of this run's pictures: ",
                    runs.run(output, "--num-samples", 2));
            assertLine(ExitCode.PERMANENT, "000001.png is none of this run's pictures: ", BulkRuns.collect(output));
        }
        for (byte[] torn : List.of(new byte[0], new byte[5000], Arrays.copyOf(theirs, 5))) { // by a power failure
            Files.write(output.resolve("000001.png"), torn);
            assertTrue(done(runs.run(output, "--num-samples", 2)).err().contains("it is made again"));
        }
    }

    @Test
    void twoWorkersWithOneShardAreNamed() throws IOException {
        Path output = folder.resolve("run");
        done(runs.run(output, "--num-samples", 4, "--shard", "0/2"));
        RunFolder run = new RunFolder(output);
        try (ShardLock first = ShardLock.take(run, new Shard(1, 2, "test"), Map.of("SLURM_JOB_ID", "17"), line -> {})) {
            assertLine(
                    ExitCode.FAILURE,
                    "shard 1/2 of " + output + " is being made by another worker, process "
                            + ProcessHandle.current().pid() + " on ",
                    runs.run(output, "--num-samples", 4, "--shard", "1/2"));
            assertLine(
                    ExitCode.FAILURE,
                    "is being made in 2 shards, not 3: shard 1 by process",
                    runs.run(output, "--num-samples", 4, "--shard", "0/3"));
            done(runs.run(output, "--num-samples", 4, "--shard", "0/2"));
        }
        done(runs.run(output, "--num-samples", 4, "--shard", "1/2"));
    }

    @Test
    void aTornPictureAndALostOneLeaveNoFile() throws IOException {
        Path output = folder.resolve("run");
        done(runs.run(output, "--num-samples", 5));
        byte[] whole = Files.readAllBytes(output.resolve("000003.png"));
        Files.write(output.resolve("000003.png"), Arrays.copyOf(whole, whole.length / 2));
        assertLine(ExitCode.FAILURE, "1 of 5 pictures are damaged: ", BulkRuns.collect(output));
        assertFalse(Files.exists(folder.resolve("run.npz")));
        assertFalse(Files.exists(folder.resolve("run.npz.sha256")));
        assertLine(
                ExitCode.PERMANENT,
                "a.npz is in the folder of the pictures",
                CommandLineRun.of("bulk", "--collect", output, "--npz", output.resolve("a.npz")));
    }

    @Test
    void whatNoRetryMendsIsFortyTwo() throws IOException {
        Path output = folder.resolve("run");
        Path labels = Files.writeString(folder.resolve("labels.txt"), "3\n1\nnobody\n");
        for (Object[] wrong : new Object[][] {
            {"--num-samples", 0, "--num-samples is 0"},
            {"--num-samples", 1_000_001, "--num-samples is 1000001"},
            {"--shard", "3/3", "--shard is shard 3 of 3"},
            {"--shard", "half", "--shard is \"half\""},
            {"--seed", -1, "--seed is 18446744073709551615"},
            {"--labels", "none.txt", "--labels is \"none.txt\", expected random, uniform or a file"},
            {"--labels", labels, "line 3: "},
            {"--npz", "a.npz", "--npz has no effect without --collect"},
            {"--class-labels", "3", "Unknown option"},
            {"--eta", "0.5", "--eta has no effect"}
        }) {
            CommandLineRun run = runs.run(output, wrong[0], wrong[1]);
            assertLine(ExitCode.PERMANENT, wrong[2].toString(), run);
        }
        Path torn = Files.write(folder.resolve("torn.pt"), new byte[100]);
        assertLine(
                ExitCode.PERMANENT,
                "torn.pt",
                CommandLineRun.of("bulk", "--model", "demo", "--ckpt", torn, "--output", output));
        assertFalse(Files.exists(output));
        assertEquals(ExitCode.USAGE, CommandLineRun.of("sample", "--none").exitCode());
    }

    /** The folder says what its pictures are: what is typed beside it would be another run's, and go unheard. */
    @Test
    void whatCollectDoesNotHeedIsRefused() throws IOException {
        Path output = folder.resolve("run");
        done(runs.run(output, "--num-samples", 2));
        for (Object[] idle : new Object[][] {
            {"--num-samples", 3},
            {"--num-fid-samples", 2},
            {"--seed", 1},
            {"--global-seed", 1},
            {"--cfg-scale", 4},
            {"--labels", "uniform"},
            {"--model", "demo"},
            {"--ckpt", "x.pt"},
            {"--sampler", "ddim"},
            {"--num-sampling-steps", 3},
            {"--per-proc-batch-size", 1},
            {"--device", "cpu"},
            {"--threads", 1},
            {"--matmul-precision", "high"},
            {"--plan", "samples"},
            {"--shard", "0/2"},
            {"--output", output}
        }) {
            assertLine(
                    ExitCode.PERMANENT,
                    idle[0] + " has no effect with --collect, which ",
                    CommandLineRun.of("bulk", "--collect", output, idle[0], idle[1]));
        }
        assertFalse(Files.exists(folder.resolve("run.npz")));
        Path npz = folder.resolve("x.npz");
        Object[] all = {"bulk", "--collect", output, "--npz", npz, "--quiet", "--debug"};
        Object[] dry = Arrays.copyOf(all, all.length + 1);
        dry[all.length] = "--dry-run";
        done(CommandLineRun.of(dry));
        assertFalse(Files.exists(npz));
        done(CommandLineRun.of(all));
        assertTrue(Files.exists(npz));
    }

    @Test
    void labelsOfAFileSayHowMany() throws IOException {
        Path labels = Files.writeString(folder.resolve("labels.txt"), "3\n1\n5\n");
        Path output = folder.resolve("run");
        done(runs.run(output, "--labels", labels));
        assertEquals(
                Set.of("000000.png", "000001.png", "000002.png"),
                BulkRuns.pictures(output).keySet());
        assertEquals(
                "5",
                PictureFacts.read(output.resolve("000002.png"))
                        .orElseThrow()
                        .facts()
                        .get("class-labels"));
        done(BulkRuns.collect(output));
        assertLine(ExitCode.PERMANENT, "names 3 classes", runs.run(output, "--labels", labels, "--num-samples", 4));
    }

    @Test
    void aDryRunTellsAndWritesNothing() {
        Path output = folder.resolve("run");
        CommandLineRun run = done(runs.run(output, "--num-samples", 10, "--shard", "1/4", "--dry-run"));
        assertTrue(run.out().contains("shard    1/4 (--shard), 3 to make"), run.out());
        assertFalse(Files.exists(output));
    }

    @Test
    void foldersAreNamedAsInSampleDdp() {
        CommandLineRun run = done(CommandLineRun.of(
                "bulk", "--model", "demo", "--device", "cpu", "--sample-dir", folder, "--dry-run", "--global-seed", 2));
        assertTrue(
                run.out().contains("output   " + folder.resolve("demo-pretrained-size-128-vae-vae-cfg-1.5-seed-2")),
                run.out());
    }
}
