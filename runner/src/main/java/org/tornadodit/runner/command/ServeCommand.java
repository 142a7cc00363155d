package org.tornadodit.runner.command;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tornadodit.pipeline.Rng;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.DivisionOptions;
import org.tornadodit.runner.option.KernelArguments;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Invocation;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Serves a model over HTTP. What it needs of the server is in {@link ServedRun}: other commands do without its classes. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        modelTransformer = DivisionOptions.Hidden.class,
        description = {
            "Serves a model over HTTP: a page, OpenAI's images API, server-sent events with previews, and metrics.",
            "Requests share passes of the model: they join and leave between steps, and each gets the pictures that it"
                    + " has alone."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  dit serve --model demo",
            "  dit serve --image-size 512 --max-batch 16 --port 9000",
            "  DIT_SERVE_TOKEN=$(openssl rand -hex 16) dit serve --host 0.0.0.0"
        })
public final class ServeCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Mixin
    ModelOptions modelOptions = new ModelOptions();

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "Address to listen on; with another than loopback's, a token is needed. Default:"
                    + " ${DEFAULT-VALUE}, this machine alone")
    String host = "127.0.0.1";

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "8000",
            description = "Port to listen on; 0 takes any. Default: ${DEFAULT-VALUE}")
    int port;

    @Option(
            names = "--token",
            paramLabel = "TEXT",
            description =
                    "What requests have to bring as Authorization: Bearer TEXT. Others on this machine can read it off"
                            + " the command line: the variable DIT_SERVE_TOKEN says it too. Default: none is asked for")
    @Nullable
    private String token;

    @Option(
            names = "--max-batch",
            paramLabel = "N",
            defaultValue = "8",
            description =
                    "Samples that share a pass of the model; the memory is for so many. Default: ${DEFAULT-VALUE}")
    int maxBatch;

    @Option(
            names = "--max-waiting",
            paramLabel = "N",
            defaultValue = "64",
            description = "Requests that may wait while --max-batch others are at work; what comes then is refused with"
                    + " status 429. Default: ${DEFAULT-VALUE}")
    int maxWaiting;

    @Option(
            names = "--max-pictures",
            paramLabel = "N",
            defaultValue = "0",
            showDefaultValue = CommandLine.Help.Visibility.NEVER,
            description = "Pictures of a request. Default: 10, or --max-batch where that is more")
    int maxPictures;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "600",
            description =
                    "Time for a request, waiting included; then it ends with status 504. Default: ${DEFAULT-VALUE}")
    int timeout;

    @Option(
            names = "--grace",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description =
                    "On SIGTERM or Ctrl-C new requests are refused with status 503, and those that are here have so"
                            + " long to end; a second signal ends at once. Default: ${DEFAULT-VALUE}")
    int grace;

    @Option(
            names = "--max-connections",
            paramLabel = "N",
            defaultValue = "1024",
            description = "Connections that are open at a time. Default: ${DEFAULT-VALUE}")
    int maxConnections;

    @Option(
            names = "--rng",
            paramLabel = "cuda|cpu",
            defaultValue = "cuda",
            description = "Whose noise a seed means: PyTorch's on a GPU or on the CPU. Default: ${DEFAULT-VALUE}")
    Rng rng = Rng.CUDA;

    @Mixin
    DeviceOptions deviceOptions = new DeviceOptions();

    @Mixin
    KernelArguments kernelArguments = new KernelArguments();

    /**
     * The token, or null for none.
     *
     * @param fromEnvironment DIT_SERVE_TOKEN, as it stands there
     */
    @Nullable
    String token(@Nullable String fromEnvironment) {
        String said = token != null ? token : fromEnvironment;
        return said == null || said.isEmpty() ? null : said;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        try {
            new ServedRun(this, (Invocation) spec.root().userObject()).run();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        return ExitCode.DONE;
    }
}
