package org.tornadodit.model.dit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.io.file.CheckpointException;

class ClassNamesTest {
    private static final ClassNames NAMES = new ClassNames(List.of("fox", "ice cream", "42"), List.of(0));

    @Test
    void findsByNumberAndByName() {
        assertEquals(1, NAMES.parse("1", 3));
        assertEquals(0, NAMES.parse(" Fox ", 3));
        assertEquals(1, NAMES.parse("ice-cream", 3));
        assertEquals(2, NAMES.parse("42", 3), "a name that looks like a number is a name");
    }

    @Test
    void refusesWhatTheModelDoesNotKnow() {
        assertTrue(message("5000", 1000).contains("classes 0 to 999"));
        assertTrue(message("-1", 1000).contains("out of range"));
        assertTrue(message("walrus", 3).contains("fox, ice cream"));
    }

    private static ClassNames read(String json) {
        return ClassNames.parse(Path.of("labels.json"), json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void readsNamesAndFavourites() {
        assertEquals(NAMES, read("{\"names\": [\"fox\", \"ice cream\", \"42\"], \"favourites\": [0]}"));
        assertEquals(List.of(7), read("{\"names\": [], \"favourites\": [7]}").favourites());
    }

    /** Each in a line that names the file, whatever gson makes of it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{\"names\": [\"fox\"]}",
                "{\"favourites\": [0]}",
                "{\"names\": \"fox\", \"favourites\": [0]}",
                "{\"names\": [{}], \"favourites\": [0]}",
                "{\"names\": [null], \"favourites\": [0]}",
                "{\"names\": [\"fox\"], \"favourites\": [1e99]}",
                "{\"names\": [\"fox\"], \"favourites\": [\"x\"]}",
                "{\"names\": [\"fox\"], \"favourites\": [1]}",
                "{\"names\": [\"fox\"], \"favourites\": [-1]}",
                "{\"names\": [\"fox\"], \"favourites\": [0]} more"
            })
    void refusesOtherFilesInALine(String json) {
        String message = String.valueOf(
                assertThrows(CheckpointException.class, () -> read(json)).getMessage());
        assertTrue(message.startsWith("labels.json: ") && message.lines().count() == 1, message);
    }

    /** In a folder of weights, or in that of their file, and of no more classes than the weights have. */
    @Test
    void weightsBringTheirNames(@TempDir Path folder) throws IOException {
        Path weights = Files.createFile(folder.resolve("dit.pt"));
        assertEquals(ClassNames.numbered(3), ClassNames.ofWeights(weights, 3));
        Path names = Files.writeString(
                folder.resolve("labels.json"), "{\"names\": [\"fox\", \"ice cream\", \"42\"], \"favourites\": [0]}");
        for (Path checkpoint : List.of(weights, folder)) {
            assertEquals(NAMES, ClassNames.ofWeights(checkpoint, 3));
            assertEquals(NAMES, ClassNames.ofWeights(checkpoint, 4));
        }
        String tooMany = refusal(weights);
        assertEquals(names + ": 3 names, the model beside it has 2 classes", tooMany);
        Files.writeString(names, "{\"names\": [], \"favourites\": [1, 2]}");
        assertEquals(names + ": favourites [1, 2], the model beside it has classes 0 to 1", refusal(weights));
    }

    private static String refusal(Path weights) {
        return String.valueOf(
                assertThrows(CheckpointException.class, () -> ClassNames.ofWeights(weights, 2))
                        .getMessage());
    }

    @Test
    void theReferencesLabelsAreTheDefaultOfImageNet() {
        assertEquals(
                List.of(207, 360, 387, 974, 88, 979, 417, 279),
                ClassNames.numbered(1000).favourites());
        assertEquals(List.of(0, 1, 2), ClassNames.numbered(3).favourites());
    }

    @Test
    void knowsImageNetsNames() {
        ClassNames names = ClassNames.imageNet();
        assertEquals(1000, names.names().size());
        assertEquals(1000, names.names().stream().distinct().count(), "each name is one class's");
        assertEquals(207, names.parse("Golden Retriever", 1000));
        assertEquals(207, names.parse("golden_retriever", 1000));
        assertEquals(387, names.parse("red panda", 1000), "a synonym");
        assertEquals("lesser panda", names.name(387));
        assertEquals(474, names.parse("cardigan", 1000), "the usual name of one, another name of a second");
        assertEquals(999, names.parse("999", 1000));
        for (int label = 0; label < 1000; label++) {
            assertEquals(label, names.parse(names.name(label), 1000));
        }
    }

    @Test
    void saysWhichClassesShareAName() {
        assertEquals(
                "\"panda\" is a name of 2 classes, lesser panda (387), giant panda (388); give one of the numbers",
                message(ClassNames.imageNet(), "panda"));
        assertEquals(
                "\"crane\" is a name of 2 classes, crane (bird) (134), crane (machine) (517); give one of the numbers",
                message(ClassNames.imageNet(), "crane"));
    }

    @Test
    void suggestsTheNearestNames() {
        String typo = message(ClassNames.imageNet(), "goldn retriver");
        assertTrue(
                typo.startsWith("no class is named \"goldn retriver\"; nearest are golden retriever (207), ")
                        && typo.endsWith("; ./dit classes lists all"),
                typo);
        assertTrue(message(ClassNames.imageNet(), "husky dog").contains("husky"));
        assertTrue(message(ClassNames.imageNet(), "x".repeat(100_000)).length() < 400);
    }

    /** A text comes from a request over the network, too. */
    @Test
    void showsWhatWasAskedOnOneLine() {
        String shown = "\"a??[31mb\"";
        String asked = "a\n\u001b[31mb";
        assertTrue(message(ClassNames.imageNet(), asked).startsWith("no class is named " + shown));
        assertTrue(message(ClassNames.numbered(10), asked).startsWith("class label " + shown));
    }

    @Test
    void findsNamesThatHaveAText() {
        ClassNames names = ClassNames.imageNet();
        assertTrue(names.containing("RETRIEVER").containsAll(List.of(205, 206, 207, 208, 209)));
        assertEquals(List.of(), names.containing("zebra fish"));
        assertEquals(1000, names.containing("").size());
    }

    @Test
    void drawsLabels() {
        List<Integer> random = ClassNames.random(1000, 10, 3);
        assertEquals(random, ClassNames.random(1000, 10, 3));
        assertEquals(random.subList(0, 5), ClassNames.random(5, 10, 3));
        assertEquals(List.of(4, 0, 0, 1, 8), ClassNames.random(5, 10, 3), "java.util.Random's, for all time");
        for (int label = 0; label < 10; label++) {
            int wanted = label;
            long count = random.stream().filter(drawn -> drawn == wanted).count();
            assertTrue(count > 50 && count < 150, label + " is drawn " + count + " times");
        }
        assertEquals(List.of(0, 250, 500, 750), ClassNames.uniform(4, 1000));
        assertEquals(List.of(0, 0, 1, 1, 2, 2), ClassNames.uniform(6, 3));
        assertEquals(List.of(0, 0, 0, 0, 1, 1, 1, 2, 2, 2), ClassNames.uniform(10, 3));
    }

    private static String message(ClassNames names, String label) {
        return String.valueOf(assertThrows(IllegalArgumentException.class, () -> names.parse(label, 1000))
                .getMessage());
    }

    private static String message(String label, int numClasses) {
        return assertThrows(IllegalArgumentException.class, () -> NAMES.parse(label, numClasses))
                .toString();
    }
}
