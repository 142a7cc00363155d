package org.tornadodit.runner.download;

import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Weights that somebody publishes.
 *
 * @param name what the command line calls them
 * @param size of all files, in words, also where the bytes are not known
 * @param checkpoint the {@code --ckpt} to give, below the weights' folder; empty for an autoencoder
 * @param vae the {@code --vae} to give, below the weights' folder; empty where the checkpoint's folder holds it
 */
public record PublishedWeights(
        String name,
        String size,
        List<Licence> licences,
        List<RemoteFile> files,
        Optional<String> checkpoint,
        Optional<String> vae) {

    /** The Hugging Face hub, unless HF_ENDPOINT names a mirror. */
    public static final URI HUB = URI.create("https://huggingface.co");

    private static final String META = "https://dl.fbaipublicfiles.com/DiT/models/";
    private static final String VAE_WEIGHTS = "diffusion_pytorch_model.safetensors";

    /** Of sd-vae-ft-ema and sd-vae-ft-mse alike, as the hub tells it. */
    private static final long VAE_BYTES = 334_643_276L;

    private static final long VAE_CONFIG_BYTES = 547;

    /** The autoencoder that goes with a model unless another is asked for. */
    public static final String DEFAULT_VAE = "sd-vae-ft-ema";

    /** The two image sizes that Meta trained DiT-XL/2 for. */
    private static final List<Integer> IMAGE_SIZES = List.of(512, 256);

    /** All that there is, autoencoders without those of the models. */
    public static List<PublishedWeights> all(URI hub) {
        return List.of(
                model(512, DEFAULT_VAE, hub),
                model(256, DEFAULT_VAE, hub),
                vae("sd-vae-ft-ema", hub),
                vae("sd-vae-ft-mse", hub),
                pipeline(512, hub),
                pipeline(256, hub));
    }

    /**
     * The weights of that name. Case does not matter, and {@code DiT-XL-2-512}, {@code DiT-XL-2-512x512.pt} and
     * {@code stabilityai/sd-vae-ft-ema} are understood too.
     *
     * @param vaeName the autoencoder that comes with Meta's own files
     * @throws IllegalArgumentException when there are none
     */
    public static PublishedWeights named(String name, String vaeName, URI hub) {
        String plain = name.toLowerCase(Locale.ROOT);
        for (int size : IMAGE_SIZES) {
            if (plain.equals("facebook/dit-xl-2-" + size)) {
                return pipeline(size, hub);
            }
            if (plain.matches("(dit-)?xl[/-]2-%1$d(x%1$d(\\.pt)?)?".formatted(size))) {
                return model(size, vaeName, hub);
            }
        }
        if (plain.matches("(stabilityai/)?sd-vae-ft-(ema|mse)")) {
            return vae(plain.replace("stabilityai/", ""), hub);
        }
        throw new IllegalArgumentException("no published weights are called %s; there are %s"
                .formatted(name, all(hub).stream().map(PublishedWeights::name).collect(Collectors.joining(", "))));
    }

    /** Where Meta's own file goes. */
    static String metaFile(int imageSize) {
        return "DiT-XL-2-%1$dx%1$d.pt".formatted(imageSize);
    }

    /** facebookresearch/DiT's file and an autoencoder of Stability's. */
    private static PublishedWeights model(int imageSize, String vaeName, URI hub) {
        String file = metaFile(imageSize);
        PublishedWeights vae = vae(vaeName, hub);
        // Of the 512's no size or checksum is published; both files hold 675 million float32 values.
        RemoteFile transformer = imageSize == 256
                ? new RemoteFile(
                        file,
                        URI.create(META + file),
                        2_700_611_775L,
                        "9ec1876e4c03471bca126663a30e2d1b20610b6d2f87850a39a36f25cc685521")
                : new RemoteFile(file, URI.create(META + file), 0, null);
        return new PublishedWeights(
                "DiT-XL/2-" + imageSize,
                "2.7 GB and " + vae.size(),
                List.of(Licence.CC_BY_NC_4_0, Licence.MIT),
                Stream.concat(Stream.of(transformer), vae.files().stream()).toList(),
                Optional.of(file),
                vae.vae());
    }

    private static PublishedWeights vae(String name, URI hub) {
        // Revisions are pinned: a checksum belongs to one.
        boolean ema = name.equals("sd-vae-ft-ema");
        String revision = ema ? "f04b2c4b98319346dad8c65879f680b1997b204a" : "31f26fdeee1355a5c34592e401dd41e45d25a493";
        return new PublishedWeights(
                name,
                RemoteFile.words(VAE_BYTES),
                List.of(Licence.MIT),
                List.of(
                        new RemoteFile(
                                name + "/config.json",
                                onHub(hub, "stabilityai/" + name, revision, "config.json"),
                                VAE_CONFIG_BYTES,
                                ema ? null : "92d3dfb746fca211a2c9e019e285f8597412211728dce3c5bcf4eda0f2d62e7e"),
                        new RemoteFile(
                                name + "/" + VAE_WEIGHTS,
                                onHub(hub, "stabilityai/" + name, revision, VAE_WEIGHTS),
                                VAE_BYTES,
                                ema ? null : "a1d993488569e928462932c8c38a0760b874d166399b14414135bd9c42df5815")),
                Optional.empty(),
                Optional.of(name));
    }

    /** The same model as a diffusers folder, autoencoder included. Sizes and checksums are the hub's to tell. */
    private static PublishedWeights pipeline(int imageSize, URI hub) {
        String folder = "DiT-XL-2-" + imageSize;
        return new PublishedWeights(
                "facebook/" + folder,
                "about 3 GB",
                List.of(Licence.CC_BY_NC_4_0, Licence.MIT),
                Stream.of("transformer", "vae")
                        .flatMap(part -> Stream.of(part + "/config.json", part + "/diffusion_pytorch_model.bin"))
                        .map(file -> new RemoteFile(
                                folder + "/" + file, onHub(hub, "facebook/" + folder, "main", file), 0, null))
                        .toList(),
                Optional.of(folder),
                Optional.empty());
    }

    private static URI onHub(URI hub, String repository, String revision, String file) {
        return URI.create(
                "%s/%s/resolve/%s/%s".formatted(hub.toString().replaceFirst("/+$", ""), repository, revision, file));
    }
}
