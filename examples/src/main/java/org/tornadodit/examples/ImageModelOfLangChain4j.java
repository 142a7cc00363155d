package org.tornadodit.examples;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.model.image.ImageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.tornadodit.langchain4j.DitImageModel;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.pipeline.DitPipeline;

/** Two foxes by LangChain4j's image model, which knows nothing of this project. */
public final class ImageModelOfLangChain4j {
    private ImageModelOfLangChain4j() {}

    /** Arguments: the model's folder, the folder to write to. */
    public static void main(String[] args) throws IOException {
        sample(Path.of(args[0]), Path.of(args[1]));
    }

    private static void sample(Path model, Path folder) throws IOException {
        // spotless:off: as the README has it
        try (DitPipeline dit = DitPipeline.load(model.resolve("dit.pt"), model.resolve("vae")).open()) {
            ImageModel images = DitImageModel.builder(dit).sampler(SamplingMethod.UNIPC).steps(12).build();
            int number = 0;
            for (Image image : images.generate("fox", 2).content()) {
                Path file = folder.resolve(image.revisedPrompt() + "-" + number++ + ".png");
                Files.write(file, Base64.getDecoder().decode(image.base64Data()));
            }
        }
        // spotless:on
    }
}
