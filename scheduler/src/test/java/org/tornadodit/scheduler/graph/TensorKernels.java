package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tornadodit.host.HostDevice;

/**
 * Which kernel each operation of {@link Operations} and {@link DecoderOperations} is on tensor cores, written down by hand, and
 * whether devices have run it. Bits say nothing of that: a tier that leaves an operation to the portable kernels computes as well.
 */
public final class TensorKernels {

    /**
     * A task of an operation.
     *
     * @param operation the interface's method; empty for what is the same on any tier and no operation's
     * @param name {@code graph.task} without what makes a graph's name unique
     * @param kernel {@code Class.method}
     */
    private record Expected(String operation, Pattern name, String kernel) {}

    private static final List<Expected> DENOISER = List.of(
            of("modulation", "embed[.]adaLN_modulation_input", "PackedRows.pack"),
            of("modulation", "embed[.]adaLN_modulation", "TensorLinear.linear"),
            of("normModulate", "block[.]norm[12]", "PackedLayerNorm.modulate"),
            of("normModulate", "last[.]final_layer_norm", "PackedLayerNorm.modulate"),
            of("linearHeads", "block[.]attn_qkv", "TensorLinear.linear"),
            of("attention", "block[.]attn", "WarpgroupAttention.attention"),
            of("linearGateResidual", "block[.](attn_proj|mlp_fc2)", "TensorLinear.linear"),
            of("linearGelu", "block[.]mlp_fc1", "TensorLinear.linear"),
            of("linear", "last[.]final_layer_linear", "TensorLinear.linear"),
            // Of latents and patches, of the sample alone, or the sampler's: FP32 on any tier.
            of("", "start[.]latents", "Embedding.copy"),
            of("", "(start[.](overflow|exchanges)|embed[.]layer)", "Embedding.fill"),
            of("", "embed[.]patches", "Embedding.patchify"),
            of("", "embed[.]x_embedder", "PatchEmbedding.embed"),
            of("", "embed[.]t_embedder_mlp_[02]", "LinearFewRows.linear"),
            of("", "embed[.]y_embedder", "Embedding.condition"),
            of("", "start[.](conditionings|modulations)", "Embedding.copy"),
            of("beginOperand", "start[.]modulation_input", "Embedding.fill"),
            of("", "embed[.]conditions", "Embedding.takeRows"),
            of("", "last[.]final_layer_adaLN_modulation", "LinearFewRows.linear"),
            of("", "last[.]step", "DenoiseStep.denoise"));

    /** What a model with norms of its queries and keys (qk_norm) has in place of {@code linearHeads}. */
    private static final List<Expected> HEADS_NORMED = List.of(
            of("linearHeadsNormed", "block[.]attn_qkv", "TensorLinear.linear"),
            of("linearHeadsNormed", "block[.]attn_qkv_norm", "HeadNorm.pack"));

    /** What only devices have that compute patches of tokens in stages. */
    private static final List<Expected> PATCHED = List.of(
            of("beginOperand", "start[.]kept", "Embedding.fill"), of("keep", "block[.]attn_keep", "TokenPatches.keep"));

    private static final List<Expected> DECODER = List.of(
            of("resnet", "resnet[.]norm[12]_partial", "GroupStatistics.partial"),
            of("resnet", "resnet[.]norm[12]_finish", "GroupNorm.finish"),
            of("resnet", "resnet[.](norm[12]|shortcut_pack)", "PackedMap.pack"),
            of("", "resnet[.]next", "DecoderRun.next"),
            of("resnet", "resnet[.](conv[12]|conv_shortcut)", "TensorConv2d.conv"),
            of("upsampler", "upsampler[.]upsampler_pack", "PackedMap.pack"),
            of("upsampler", "upsampler[.]upsampler", "TensorConv2d.conv"),
            of("tail", "tail[.]conv_norm_out_partial", "GroupStatistics.partial"),
            of("tail", "tail[.]conv_norm_out_finish", "GroupNorm.finish"),
            of("tail", "tail[.]conv_norm_out", "PackedMap.pack"),
            of("tail", "tail[.]conv_out", "TensorConv2d.conv"),
            of("tail", "tail[.]images", "ImageLayout.channelsFirst"),
            // What is small stays with the portable kernels.
            of("head", "head[.]post_quant_conv", "ImageLayout.postQuantConv"),
            of("head", "head[.]conv_in", "Conv2d.conv3x3"),
            of("head", "head[.]x", "Embedding.copy"),
            of("head", "head[.](overflow|map)", "Embedding.fill"),
            of("attention", "attention[.]group_norm_partial", "GroupNorm.partial"),
            of("attention", "attention[.]group_norm_finish", "GroupNorm.finish"),
            of("attention", "attention[.]group_norm", "GroupNorm.scaleAndShift"),
            of("attention", "attention[.](to_[qkv]|scores|values|to_out)", "Linear.linear"),
            of("attention", "attention[.]softmax", "Softmax.softmax"));

    private TensorKernels() {}

    private static Expected of(String operation, String name, String kernel) {
        return new Expected(operation, Pattern.compile(name), kernel);
    }

    /**
     * Fails unless each of the devices that have run anything since their meters were reset has run every operation of the denoiser
     * with its kernel, and no other kernel.
     */
    public static void requireDenoiser(List<HostDevice> devices) {
        require(devices, Operations.class, DENOISER, together(HEADS_NORMED, PATCHED), false);
    }

    /** The same of a model with norms of its queries and keys. */
    public static void requireDenoiserWithHeadNorms(List<HostDevice> devices) {
        List<Expected> table = new ArrayList<>(HEADS_NORMED);
        List<Expected> without = new ArrayList<>();
        for (Expected expected : DENOISER) {
            (expected.operation().equals("linearHeads") ? without : table).add(expected);
        }
        require(devices, Operations.class, table, together(without, PATCHED), false);
    }

    private static List<Expected> together(List<Expected> some, List<Expected> others) {
        return Stream.concat(some.stream(), others.stream()).toList();
    }

    /** The same of the decoder. */
    public static void requireDecoder(List<HostDevice> devices) {
        require(devices, DecoderOperations.class, DECODER, List.of(), true);
    }

    /** @param others of the same operations' interface, of other models and divisions */
    private static void require(
            List<HostDevice> devices,
            Class<?> operations,
            List<Expected> table,
            List<Expected> others,
            boolean decoder) {
        Set<String> methods = Arrays.stream(operations.getDeclaredMethods())
                .filter(method -> method.getParameterCount() > 0 && method.getParameterTypes()[0] == GraphScope.class)
                .map(Method::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> known = Stream.concat(table.stream(), others.stream())
                .map(Expected::operation)
                .filter(operation -> !operation.isEmpty())
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(methods, known, "operations of " + operations.getSimpleName());
        int atWork = 0;
        for (HostDevice device : devices) {
            Map<String, String> ran = new LinkedHashMap<>();
            device.kernels().forEach((task, kernel) -> {
                if (task.contains("_vae_") == decoder) {
                    ran.put(plain(task), kernel);
                }
            });
            if (ran.isEmpty()) {
                continue; // fewer samples than devices
            }
            atWork++;
            List<Expected> missing = new ArrayList<>(table);
            List<String> wrong = new ArrayList<>();
            ran.forEach((task, kernel) -> {
                Optional<Expected> expected = table.stream()
                        .filter(each -> each.name().matcher(task).matches())
                        .findFirst();
                expected.ifPresent(missing::remove);
                String wanted =
                        expected.map(Expected::kernel).orElse("nothing: no operation is known to have the task");
                if (!wanted.equals(kernel)) {
                    wrong.add(task + " ran " + kernel + ", wanted " + wanted);
                }
            });
            assertEquals(List.of(), wrong, device.toString());
            assertEquals(List.of(), missing, device + " did not run these");
        }
        assertTrue(atWork > 0, "no device ran anything");
    }

    /** Without the engine's prefix, and without channels and sizes of the decoder's graphs, or passes of the denoiser's. */
    private static String plain(String task) {
        int dot = task.lastIndexOf('.');
        String graph = task.substring(0, dot);
        int vae = graph.indexOf("_vae_");
        graph = graph.substring(vae < 0 ? graph.indexOf('_') + 1 : vae + "_vae_".length());
        return graph.replaceFirst("_for_\\d+$", "").replaceFirst("(_\\d+)+$", "") + task.substring(dot);
    }
}
