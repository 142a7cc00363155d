package org.tornadodit.runner.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.metrics.PictureTexts;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.runner.terminal.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints what made a picture. */
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        description = "Prints what made a PNG or WebP picture: model, labels, seed, sampler and the rest, as its file"
                + " carries them.",
        footerHeading = "%nExamples:%n",
        footer = {"  dit show sample.png", "  dit sample --like sample.png"})
public final class ShowCommand implements Callable<Integer> {
    /** Of a value, as it is shown: the labels of a large batch are many. */
    private static final int LONGEST_VALUE = 2000;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Parameters(index = "0", paramLabel = "PICTURE", description = "A picture that dit sample or the Java API wrote")
    @SuppressWarnings("NullAway.Init") // set by picocli
    Path picture;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        Map<String, String> texts = PictureTexts.read(picture);
        Optional<PictureFacts> facts = PictureFacts.of(texts);
        if (facts.isEmpty()) {
            texts.forEach((keyword, text) -> print(out, keyword, text));
            throw new IOException(Printable.path(picture)
                    + (texts.isEmpty() ? ": the file has no texts" : ": the texts are another program's")
                    + ", and does not tell what made the picture");
        }
        print(out, "version", facts.get().version());
        facts.get().facts().forEach((name, value) -> print(out, name, value));
        return ExitCode.DONE;
    }

    /** Texts are whoever's who made the file. */
    private static void print(PrintWriter out, String name, String text) {
        out.printf("%-18s  %s%n", Printable.text(name), Printable.text(text, LONGEST_VALUE));
    }
}
