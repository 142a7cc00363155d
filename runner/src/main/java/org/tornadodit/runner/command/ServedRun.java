package org.tornadodit.runner.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.PipelineBuilder;
import org.tornadodit.pipeline.PipelineException;
import org.tornadodit.pipeline.setup.DeviceChoice;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.plan.TypedOptions;
import org.tornadodit.runner.terminal.Invocation;
import org.tornadodit.runner.terminal.StartProgress;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.runner.terminal.Terminal;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.serve.DitServer;
import org.tornadodit.serve.ServerOptions;

/** A server from its start to the signal that ends it. */
final class ServedRun {
    /** What is set by which option. */
    private static final Map<String, String> OPTIONS = Map.of(
            "port", "--port",
            "maxBatch", "--max-batch",
            "maxPictures", "--max-pictures",
            "maxWaiting", "--max-waiting",
            "maxConnections", "--max-connections");

    private final ServeCommand command;
    private final Invocation invocation;
    private final Surroundings surroundings = Surroundings.read();
    private final PrintWriter out;
    private final PrintWriter err;

    ServedRun(ServeCommand command, Invocation invocation) {
        this.command = command;
        this.invocation = invocation;
        this.out = command.spec.commandLine().getOut();
        this.err = command.spec.commandLine().getErr();
    }

    /**
     * Serves until the process is asked to end.
     *
     * @throws IllegalArgumentException when options are wrong
     */
    void run() throws IOException, InterruptedException {
        ServerOptions options = options();
        options.requireSafe();
        DitServer.requireFree(options);
        ModelSource source = ModelSource.of(command.modelOptions, surroundings);
        try (DitPipeline pipeline = open(source)) {
            requireAsked(source, pipeline.config());
            CountDownLatch asked = new CountDownLatch(1);
            try (DitServer server = DitServer.start(pipeline, options.model(source.toldName()))) {
                invocation.interruption().instead(() -> {
                    err.println(
                            "dit: stopping, with %d s for what is at work (requests: %d); a second signal ends at once"
                                    .formatted(command.grace, server.active()));
                    asked.countDown();
                });
                tell(source, pipeline, server.uri());
                asked.await();
            }
        }
    }

    private void tell(ModelSource source, DitPipeline pipeline, URI uri) {
        out.println("serving %s at %s".formatted(source.name(), uri));
        out.flush();
        err.println(pipeline.description());
    }

    private ServerOptions options() {
        if (command.timeout < 1) {
            throw new IllegalArgumentException("--timeout is %d, expected 1 second or more".formatted(command.timeout));
        }
        if (command.grace < 0) {
            throw new IllegalArgumentException("--grace is %d, expected 0 seconds or more".formatted(command.grace));
        }
        try {
            return checkedOptions();
        } catch (IllegalArgumentException e) {
            throw inOptions(e);
        }
    }

    private ServerOptions checkedOptions() {
        String token = command.token(System.getenv("DIT_SERVE_TOKEN"));
        ServerOptions defaults = ServerOptions.defaults();
        return new ServerOptions(
                command.host,
                command.port,
                token,
                defaults.model(),
                command.maxPictures,
                command.maxWaiting,
                Duration.ofSeconds(command.timeout),
                defaults.patience(),
                Duration.ofSeconds(command.grace),
                command.maxConnections,
                defaults.maxBody());
    }

    private DitPipeline open(ModelSource source) {
        try (StartProgress progress = new StartProgress(System.err, Terminal.now(surroundings.terminal()), false)) {
            DeviceOptions.Chosen chosen = command.deviceOptions.chooseForPipeline(surroundings);
            new TypedOptions(command.spec.commandLine()).requireEffect(chosen);
            PipelineBuilder builder = DitPipeline.load(source.checkpoint(), source.vae())
                    .devices(new DeviceChoice(chosen.devices(), chosen.reason()))
                    .deviceWeights(command.deviceOptions.weightsOfPipeline())
                    .threads(command.deviceOptions.threads)
                    .precision(command.kernelArguments.options().precision())
                    .kernels(command.kernelArguments.kernels)
                    .rng(command.rng)
                    .name(source.toldName())
                    .maxBatch(command.maxBatch)
                    .notices(line -> progress.aside(() -> err.println(line)))
                    .starting(progress::doing);
            if (command.modelOptions.imageSize != null) {
                builder.imageSize(command.modelOptions.imageSize);
            }
            if (command.modelOptions.objective != null) {
                builder.objective(command.modelOptions.objective);
            }
            if (source.configFile() != null) {
                builder.config(source.configFile());
            }
            if (source.classesFile() != null) {
                builder.classNames(source.classesFile());
            }
            if (command.deviceOptions.noKernelCache) {
                builder.noKernelCache();
            }
            if (command.deviceOptions.failsFast()) {
                builder.failFast();
            }
            return builder.open();
        } catch (PipelineException e) {
            throw inOptions(e);
        } catch (IllegalArgumentException e) {
            throw inOptions(e);
        }
    }

    /** What is out of range, under the option that said it: the server's and the pipeline's lines begin with their own names. */
    private static IllegalArgumentException inOptions(IllegalArgumentException thrown) {
        String message = String.valueOf(thrown.getMessage());
        for (Map.Entry<String, String> each : OPTIONS.entrySet()) {
            if (message.startsWith(each.getKey() + " is ")) {
                return new IllegalArgumentException(
                        each.getValue() + message.substring(each.getKey().length()), thrown);
            }
        }
        return thrown;
    }

    /** What stopped it, in the command line's words. */
    private static RuntimeException inOptions(PipelineException thrown) {
        if (thrown.getCause() instanceof CheckpointException unreadable) {
            return unreadable;
        }
        if (thrown.getCause() instanceof DeviceUnavailableException missing) {
            return missing;
        }
        return new IllegalStateException(
                String.valueOf(thrown.getMessage())
                        .replace("open with a smaller maxBatch", "give a smaller --max-batch")
                        .replace("devices(\"cpu\")", "--device cpu")
                        .replace("devices(...)", "--devices")
                        .replace("maxBatch", "--max-batch"),
                thrown);
    }

    /** The sizes are those of the weights; options that say others are a mistake. */
    private void requireAsked(ModelSource source, DitConfig found) {
        requireSame("--num-classes", command.modelOptions.numClasses, found.numClasses());
        requireSame("--image-size", command.modelOptions.imageSize, found.imageSize());
        if (source.config() == null) {
            DitConfig named = DitVariant.parse(source.name()).config(found.imageSize(), found.numClasses());
            if (named.hiddenSize() != found.hiddenSize()
                    || named.depth() != found.depth()
                    || named.patchSize() != found.patchSize()) {
                throw new CheckpointException(
                        "%s: the weights are of %d blocks of width %d, patches of %d; %s has %d, %d, %d"
                                .formatted(
                                        source.checkpoint(),
                                        found.depth(),
                                        found.hiddenSize(),
                                        found.patchSize(),
                                        source.name(),
                                        named.depth(),
                                        named.hiddenSize(),
                                        named.patchSize()));
            }
        }
    }

    private static void requireSame(String option, @Nullable Integer given, int found) {
        if (given != null && given != found) {
            throw new IllegalArgumentException("%s is %d, the weights are of %d".formatted(option, given, found));
        }
    }
}
