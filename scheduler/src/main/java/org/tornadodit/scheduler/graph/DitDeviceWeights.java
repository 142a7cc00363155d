package org.tornadodit.scheduler.graph;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.DitWeights.Block;
import org.tornadodit.model.dit.DitWeights.HeadNorms;
import org.tornadodit.scheduler.graph.StagedWeights.Floats;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.Part.Span;
import org.tornadodit.scheduler.plan.StepPlan.Stage;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The denoiser's weights as device arrays; those of the blocks stacked.
 *
 * @param patchEmbedding null but where the first blocks are, as is {@code positions}
 * @param headNorms see {@link org.tornadodit.kernels.HeadNorm}; null for models without
 * @param finalModulation null but where the last blocks are, as is {@code finalLinear}
 * @param tables what is to be sent to {@code positions} and {@code labelTable}
 * @param normTables and to {@code headNorms}
 */
public record DitDeviceWeights(
        @Nullable ProductWeights patchEmbedding,
        @Nullable FloatArray positions,
        ProductWeights timestepIn,
        ProductWeights timestepOut,
        @Nullable ProductWeights intervalIn,
        @Nullable ProductWeights intervalOut,
        FloatArray labelTable,
        ProductWeights modulation,
        ProductWeights qkv,
        @Nullable FloatArray headNorms,
        ProductWeights projection,
        ProductWeights fc1,
        ProductWeights fc2,
        @Nullable ProductWeights finalModulation,
        @Nullable ProductWeights finalLinear,
        List<StagedWeights> tables,
        List<StagedWeights> normTables) {

    public DitDeviceWeights {
        tables = List.copyOf(tables);
        normTables = List.copyOf(normTables);
    }

    /**
     * What is to be sent before a stage.
     *
     * @param patched whether what makes keys is a stage of its own
     */
    List<StagedWeights> of(Stage stage, boolean patched) {
        Stream<@Nullable ProductWeights> products = switch (stage) {
            case EMBED -> Stream.of(modulation, patchEmbedding, timestepIn, timestepOut, intervalIn, intervalOut);
            case KEYS -> Stream.of(qkv);
            case BLOCK -> patched ? Stream.of(projection, fc1, fc2) : Stream.of(qkv, projection, fc1, fc2);
            case LAST, PREDICT -> Stream.of(finalModulation, finalLinear);
            case ARRIVE, TAKE, PUT, HAND_ON, SAMPLE -> Stream.of();
        };
        List<StagedWeights> staged = new ArrayList<>(
                switch (stage) {
                    case EMBED -> tables;
                    case KEYS -> normTables;
                    case BLOCK -> patched ? List.of() : normTables;
                    case ARRIVE, TAKE, PUT, LAST, HAND_ON, PREDICT, SAMPLE -> List.of();
                });
        products.filter(Objects::nonNull).forEach(product -> staged.addAll(product.staged()));
        return staged;
    }

    public static DitDeviceWeights of(DitWeights weights, Operations operations, Part part) {
        PortableOperations portable = operations.portable();
        boolean first = part.isFirstStage();
        boolean last = part.isLastStage();
        List<StagedWeights> tables = new ArrayList<>();
        FloatArray positions =
                first ? table(rows(weights.positionEmbedding(), part.tokens()), operations, tables) : null;
        FloatArray labels = table(weights.labelTable(), operations, tables);
        List<Block> blocks =
                part.ownLayers().stream().map(weights.blocks()::get).toList();
        int slots = part.slots();
        List<Block> others = new ArrayList<>(weights.blocks());
        others.removeAll(blocks);
        List<Tensor> norms = norms(blocks);
        FloatArray headNorms = headNorms(operations, norms, slots / (double) blocks.size());
        return new DitDeviceWeights(
                ofOne(portable, first ? weights.patchEmbedding() : null),
                positions,
                portable.float32Weights(List.of(weights.timestepIn())),
                portable.float32Weights(List.of(weights.timestepOut())),
                ofOne(portable, weights.intervalIn()),
                ofOne(portable, weights.intervalOut()),
                labels,
                operations.weightsTogether(ofBlocks(blocks, Block::modulation), ofBlocks(others, Block::modulation)),
                operations.weightShares(shares(blocks, Block::qkv, qkv -> rowsOfHeads(qkv, part)), slots),
                headNorms,
                operations.weightShares(
                        shares(blocks, Block::projection, proj -> columns(proj, part.productHeads(), part)), slots),
                operations.weightShares(
                        shares(blocks, Block::fc1, fc1 -> LayerShare.ofRows(fc1, List.of(part.features()))), slots),
                operations.weightShares(shares(blocks, Block::fc2, fc2 -> columns(fc2, part.features(), part)), slots),
                ofOne(portable, last ? weights.finalModulation() : null),
                last ? operations.float32Weights(List.of(weights.finalLinear())) : null,
                tables,
                normTables(headNorms, norms));
    }

    /** Some rows of a table (..., rows, columns). */
    private static Tensor rows(Tensor table, Span rows) {
        if (rows.isWhole()) {
            return table;
        }
        long columns = table.shape().elements() / rows.of();
        MemorySegment data = table.data();
        return new Tensor(
                table.name(),
                Shape.of(rows.count(), columns),
                data.equals(MemorySegment.NULL)
                        ? data
                        : data.asSlice(Float.BYTES * rows.first() * columns, Float.BYTES * rows.count() * columns));
    }

    private static FloatArray table(Tensor tensor, Operations operations, List<StagedWeights> tables) {
        FloatArray table = operations.arrays().weightFloats(tensor.shape().elements());
        tables.add(new Floats(table, 0, tensor));
        return table;
    }

    private static @Nullable ProductWeights ofOne(PortableOperations portable, @Nullable Linear layer) {
        return layer == null ? null : portable.float32Weights(List.of(layer));
    }

    /** Weight and bias of the queries' norm and of the keys', layer after layer. */
    private static List<Tensor> norms(List<Block> blocks) {
        List<Tensor> tensors = new ArrayList<>();
        for (Block block : blocks) {
            HeadNorms norms = block.headNorms();
            if (norms != null) {
                for (Linear norm : List.of(norms.query(), norms.key())) {
                    tensors.add(norm.weight());
                    tensors.add(norm.bias());
                }
            }
        }
        return tensors;
    }

    private static @Nullable FloatArray headNorms(Operations operations, List<Tensor> norms, double times) {
        long elements =
                norms.stream().mapToLong(norm -> norm.shape().elements()).sum();
        return norms.isEmpty() ? null : operations.arrays().weightFloats(Math.round(elements * times));
    }

    private static List<StagedWeights> normTables(@Nullable FloatArray target, List<Tensor> norms) {
        List<StagedWeights> staged = new ArrayList<>();
        int at = 0;
        for (Tensor norm : norms) {
            if (target != null) {
                staged.add(new Floats(target, at, norm));
            }
            at += (int) norm.shape().elements();
        }
        return staged;
    }

    private static List<LayerShare> shares(
            List<Block> blocks, Function<Block, Linear> layer, Function<Linear, LayerShare> share) {
        return ofBlocks(blocks, layer).stream().map(share).toList();
    }

    /** The outputs that are queries, keys and values of some heads. */
    private static LayerShare rowsOfHeads(Linear qkv, Part part) {
        int all = qkv.out() / 3;
        Span heads = part.productHeads().scaledTo(all);
        List<Span> rows = new ArrayList<>();
        for (int which = 0; which < 3; which++) {
            rows.add(new Span(which * all + heads.first(), heads.count(), qkv.out()));
        }
        return heads.isWhole() ? LayerShare.whole(qkv) : LayerShare.ofRows(qkv, rows);
    }

    /** The inputs that some units make; one device adds the bias. */
    private static LayerShare columns(Linear layer, Span units, Part part) {
        return LayerShare.ofColumns(layer, units.scaledTo(layer.in()), part.place(Axis.TENSOR) == 0);
    }

    private static List<Linear> ofBlocks(List<Block> blocks, Function<Block, Linear> layer) {
        return blocks.stream().map(layer).toList();
    }
}
