package org.tornadodit.runner.command;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.tornadodit.pipeline.setup.Machine;
import org.tornadodit.runner.download.Downloader;
import org.tornadodit.runner.download.Hub;
import org.tornadodit.runner.download.Licence;
import org.tornadodit.runner.download.PublishedWeights;
import org.tornadodit.runner.download.RemoteFile;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Invocation;
import org.tornadodit.runner.terminal.ShellWord;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.runner.terminal.TransferProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Fetches published weights. */
@Command(
        name = "download",
        mixinStandardHelpOptions = true,
        description = {
            "Fetches the published weights of DiT-XL/2 and its autoencoder; without a name, lists what there is.",
            "A download that was stopped goes on with the same command. Then sample finds the weights by itself."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  dit download DiT-XL/2-512",
            "  dit sample --model DiT-XL/2 --image-size 512",
            "",
            "Where the weights are:",
            "  DiT-XL/2, 512 x 512 and 256 x 256: 2.7 GB each; CC BY-NC 4.0, not for commercial use",
            "    https://dl.fbaipublicfiles.com/DiT/models/DiT-XL-2-512x512.pt (and DiT-XL-2-256x256.pt)",
            "    https://huggingface.co/facebook/DiT-XL-2-512 (and -256), as diffusers folders",
            "  the autoencoder, 335 MB; MIT",
            "    https://huggingface.co/stabilityai/sd-vae-ft-ema (and sd-vae-ft-mse)",
            "",
            "https_proxy, no_proxy, HF_ENDPOINT (a mirror of the hub) and HF_TOKEN (sent to the hub alone) are"
                    + " honoured."
        })
public final class DownloadCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "NAME",
            description = "DiT-XL/2-512, DiT-XL/2-256 (each with an autoencoder), sd-vae-ft-ema, sd-vae-ft-mse,"
                    + " facebook/DiT-XL-2-512, facebook/DiT-XL-2-256 (diffusers folders)")
    List<String> names = new ArrayList<>();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description = "Where to put them. Default: tornado-dit/weights in $XDG_DATA_HOME or ~/.local/share, where"
                    + " sample looks for them")
    @Nullable
    Path output;

    @Option(
            names = "--vae",
            paramLabel = "ema|mse",
            defaultValue = "ema",
            description = "Which autoencoder comes with DiT-XL/2-512 and -256. Default: ${DEFAULT-VALUE}")
    String vae = "ema";

    @Option(names = "--quiet", description = "No progress")
    boolean quiet;

    public Map<String, String> environment = System.getenv();

    /** Whose certificates are trusted; null for the JVM's own. */
    @Nullable
    public SSLContext trust;

    private final Surroundings surroundings = Surroundings.read();

    @Override
    public Integer call() throws IOException {
        Hub hub = Hub.of(environment);
        if (names.isEmpty()) {
            list(hub);
            return ExitCode.DONE;
        }
        List<PublishedWeights> wanted = new ArrayList<>();
        try {
            if (!vae.equals("ema") && !vae.equals("mse")) {
                throw new IllegalArgumentException("--vae is %s, expected ema or mse".formatted(vae));
            }
            for (String name : names) {
                wanted.add(PublishedWeights.named(name, "sd-vae-ft-" + vae, hub.endpoint()));
            }
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        Path folder = output != null ? output : Surroundings.weightsFolder();
        PrintWriter err = spec.commandLine().getErr();
        if (spec.root().userObject() instanceof Invocation invocation) {
            invocation.interruption().hint("; the same command goes on from what is in " + folder);
        }
        wanted.stream()
                .flatMap(weights -> weights.licences().stream())
                .distinct()
                .map(Licence::notice)
                .forEach(err::println);
        try (TransferProgress progress = new TransferProgress(System.err, surroundings.terminal(), quiet)) {
            Downloader downloader = new Downloader(
                    environment,
                    System.getProperties(),
                    hub,
                    trust,
                    "tornado-dit/" + Machine.projectVersion(),
                    progress);
            for (PublishedWeights weights : wanted) {
                for (RemoteFile file : weights.files()) {
                    err.println(line(downloader.fetch(file, folder)));
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            InterruptedIOException stopped = new InterruptedIOException("the download was interrupted");
            stopped.initCause(e);
            throw stopped;
        }
        wanted.forEach(weights -> spec.commandLine().getOut().println(use(weights, folder)));
        return ExitCode.DONE;
    }

    private static String line(Downloader.Fetched fetched) {
        return switch (fetched.outcome()) {
            case WAS_THERE -> fetched.path() + " is there already";
            case VERIFIED -> fetched.path() + ": its SHA-256 is the published one";
            case FETCHED ->
                "%s: no checksum is published; its SHA-256 is %s".formatted(fetched.path(), fetched.sha256());
        };
    }

    /** The command line that the weights are for. */
    private String use(PublishedWeights weights, Path folder) {
        StringBuilder command = new StringBuilder("./dit sample --model DiT-XL/2");
        weights.checkpoint()
                .ifPresent(name -> command.append(name.contains("512") ? " --image-size 512" : " --image-size 256"));
        if (output != null) {
            weights.checkpoint()
                    .ifPresent(name -> command.append(" --ckpt ")
                            .append(ShellWord.quoted(folder.resolve(name).toString())));
        }
        if (output != null || weights.checkpoint().isEmpty()) {
            weights.vae()
                    .ifPresent(name -> command.append(" --vae ")
                            .append(ShellWord.quoted(folder.resolve(name).toString())));
        }
        return command.toString();
    }

    private void list(Hub hub) {
        PrintWriter out = spec.commandLine().getOut();
        out.printf("%-22s %-22s %s%n", "name", "size", "licence");
        for (PublishedWeights weights : PublishedWeights.all(hub.endpoint())) {
            out.printf(
                    "%-22s %-22s %s%n",
                    weights.name(),
                    weights.size(),
                    weights.licences().stream().map(Licence::title).collect(Collectors.joining(", ")));
            weights.files().stream()
                    .filter(file -> !file.name().equals("config.json"))
                    .forEach(file -> out.println("    " + file.address()));
        }
        out.println();
        out.println("./dit download NAME puts them into " + Surroundings.weightsFolder());
        for (Licence licence : Licence.values()) {
            out.println(licence.notice());
        }
    }
}
