package org.tornadodit.runner.command;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Surroundings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Lists what a model can draw. */
@Command(
        name = "classes",
        mixinStandardHelpOptions = true,
        description = "Lists the numbers and names of a model's classes, as --class-labels takes them.",
        footerHeading = "%nExamples:%n",
        footer = {"  dit classes retriever", "  dit classes --model demo"})
public final class ClassesCommand implements Callable<Integer> {
    private static final int IMAGENET_CLASSES = 1000;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "WORD",
            description = "Only classes that have this in one of their names")
    @Nullable
    String word;

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            defaultValue = "DiT-XL/2",
            description =
                    "A DiT of the paper (ImageNet's 1000 classes), demo, or a config.json. Default: ${DEFAULT-VALUE}")
    String model = "DiT-XL/2";

    @Override
    public Integer call() {
        ClassNames classes;
        try {
            classes = classes();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        List<Integer> wanted = classes.containing(word == null ? "" : word);
        if (wanted.isEmpty()) {
            throw new IllegalArgumentException("no class has \"%s\" in a name; %s"
                    .formatted(word, classes.suggestion(String.valueOf(word), ModelSource.listOf(classes))));
        }
        PrintWriter out = spec.commandLine().getOut();
        int digits = String.valueOf(classes.names().size() - 1).length();
        for (int label : wanted) {
            out.println(String.format(
                    Locale.ROOT, "%" + digits + "d  %s", label, String.join(", ", classes.allNames(label))));
        }
        return ExitCode.DONE;
    }

    private ClassNames classes() {
        if (model.equals(ModelSource.DEMO)) {
            return ClassNames.read(ModelSource.demoNames(Surroundings.read()));
        }
        if (!model.endsWith(".json")) {
            ModelSource.variant(model); // refuses what is none
            return ClassNames.imageNet();
        }
        int count = DitConfig.fromJson(Path.of(model)).numClasses();
        if (count != IMAGENET_CLASSES) {
            throw new IllegalArgumentException("the %d classes of %s have no names here: they are numbers, 0 to %d"
                    .formatted(count, model, count - 1));
        }
        return ClassNames.imageNet();
    }
}
