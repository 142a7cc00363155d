package org.tornadodit.runner.challenge;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.tornadodit.model.metrics.Score;
import org.tornadodit.runner.terminal.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The challenge's points for a sampling time. */
@Command(
        name = "score",
        mixinStandardHelpOptions = true,
        description = "The DiT challenge's points for an average sampling time, under both of its rules, with a table."
                + " strict: 50 ln(300 / T) / ln 3, all points at 100 s. final: 100 ln(360 / T) / ln 6, all points"
                + " at 60 s.",
        footerHeading = "%nExamples:%n",
        footer = {"  dit score 25.9"})
public final class ScoreCommand implements Callable<Integer> {

    private static final int[] EXAMPLES = {400, 360, 300, 250, 200, 150, 100, 90, 60};

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "SECONDS",
            description = "Average sampling time of a batch of eight 512 x 512 images by DiT-XL/2 in 250 steps")
    double seconds;

    @Override
    public Integer call() {
        if (!(seconds > 0) || Double.isInfinite(seconds)) {
            throw new ParameterException(
                    spec.commandLine(), "SECONDS is " + seconds + ", expected a number of more than 0");
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(line(seconds));
        out.println();
        out.println("  seconds   strict    final");
        for (int example : EXAMPLES) {
            out.println(String.format(
                    Locale.ROOT,
                    "%9d %8.2f %8.2f",
                    example,
                    Score.STRICT.points(example),
                    Score.FINAL.points(example)));
        }
        return ExitCode.DONE;
    }

    /** Both scores of a time in one line. */
    public static String line(double seconds) {
        return String.format(
                Locale.ROOT,
                "Challenge score of %s seconds: %.2f of %.0f points by the strict rules, %.2f of %.0f by the final"
                        + " ones.",
                seconds == Math.rint(seconds) && seconds < 1e9
                        ? String.valueOf((long) seconds)
                        : String.format(Locale.ROOT, "%.4f", seconds),
                Score.STRICT.points(seconds),
                Score.STRICT.fullPoints(),
                Score.FINAL.points(seconds),
                Score.FINAL.fullPoints());
    }
}
