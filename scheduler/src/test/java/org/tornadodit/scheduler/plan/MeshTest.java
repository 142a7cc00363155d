package org.tornadodit.scheduler.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.OwnedWeights.Ownership;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.plan.Mesh.Grain;
import org.tornadodit.scheduler.plan.Part.Span;

class MeshTest {
    private static final DitConfig XL = new DitConfig(64, 2, 4, 1152, 28, 16, 4.0, 1000, true);
    private static final Grain HALVES = new Grain(8, 16, 4, 1);

    /** Each pass, token and head of a sample is on one rank, and what a rank holds is a run of each axis. */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 1", "2, 1, 1", "1, 1, 2", "2, 1, 2", "1, 1, 4", "2, 1, 4", "1, 1, 8", "1, 2, 1", "2, 2, 1", "1, 8, 1",
        "2, 2, 2", "1, 2, 4"
    })
    void everythingIsOnOneRank(int halves, int ring, int heads) {
        Mesh mesh = Mesh.ONE.withHalves(halves).withRing(ring).withHeads(heads);
        assertEquals(java.util.Optional.empty(), mesh.refusal(XL, true, HALVES));
        TreeSet<String> tokens = new TreeSet<>();
        TreeSet<String> ofHeads = new TreeSet<>();
        int held = 0;
        for (int rank = 0; rank < mesh.ranks(); rank++) {
            Part part = mesh.part(XL, 3, true, rank);
            assertEquals(rank, part.rank());
            assertEquals(mesh.ranks(), part.ranks());
            assertEquals(heads, part.mesh().heads());
            for (int half : indices(part.halves())) {
                for (int token : indices(part.tokens())) {
                    assertTrue(tokens.add(half + " " + token));
                }
                for (int head : indices(part.heads())) {
                    indices(part.queries()).forEach(query -> assertTrue(ofHeads.add(half + " " + head + " " + query)));
                }
            }
            held += part.rows();
        }
        assertEquals(2 * 1024, tokens.size());
        assertEquals(2 * 16 * 1024, ofHeads.size());
        assertEquals(3 * 2 * 1024, held);
    }

    private static List<Integer> indices(Span span) {
        List<Integer> indices = new ArrayList<>();
        for (int i = 0; i < span.count(); i++) {
            indices.add(span.first() + i);
        }
        return indices;
    }

    /** Of a head's attention, and of each feature and token of the MLP's products, one rank has the weights and the work. */
    @ParameterizedTest
    @CsvSource({"1, 1, 2", "1, 2, 2", "2, 2, 2", "1, 1, 8", "1, 4, 2"})
    void sharesOfTheWeightsAreOnOneRank(int halves, int heads, int tensor) {
        Mesh mesh = Mesh.ONE.withHalves(halves).withHeads(heads).withTensor(tensor);
        DitConfig small = new DitConfig(8, 1, 4, 64, 1, 8, 2.0, 6, true);
        assertEquals(java.util.Optional.empty(), mesh.refusal(small, true, new Grain(1, 4, 4, 0)));
        TreeSet<String> attended = new TreeSet<>();
        TreeSet<String> features = new TreeSet<>();
        TreeSet<String> residual = new TreeSet<>();
        for (int rank = 0; rank < mesh.ranks(); rank++) {
            Part part = mesh.part(small, 1, true, rank);
            for (int half : indices(part.halves())) {
                indices(part.tokens()).forEach(token -> assertTrue(residual.add(half + " " + token)));
                for (int head : indices(part.heads())) {
                    assertTrue(attended.add(half + " " + head));
                    assertTrue(indices(part.productHeads()).contains(head));
                }
                for (int token : indices(part.productTokens())) {
                    indices(part.features()).forEach(one -> assertTrue(features.add(half + " " + token + " " + one)));
                }
            }
        }
        assertEquals(2 * 64, residual.size());
        assertEquals(2 * 8, attended.size());
        assertEquals(2 * 64 * 128, features.size());
    }

    @Test
    void aDeviceAloneHasAllOfASample() {
        assertEquals(Part.of(XL, 5, true), Mesh.ONE.part(XL, 5, true, 0));
        assertTrue(Mesh.ofSamples(4).part(XL, 2, true, 0).isWhole());
        assertFalse(Mesh.ONE.withHalves(2).part(XL, 2, true, 0).isWhole());
    }

    @Test
    void refusesInOneLine() {
        assertEquals("guidance has two halves, not 3", refusal(Mesh.ONE.withHalves(3), true));
        assertEquals(
                "halves of guidance, and the samples are not guided (--cfg-scale 1)",
                refusal(Mesh.ONE.withHalves(2), false));
        assertEquals("16 heads in 3 parts", refusal(Mesh.ONE.withHeads(3), true));
        assertEquals(
                "16 devices for one sample, up to 8 are possible",
                refusal(Mesh.ONE.withHalves(2).withHeads(8), true));
        DitConfig odd = new DitConfig(6, 1, 4, 32, 1, 2, 2.0, 6, true);
        assertEquals(
                "36 tokens in 2 parts: these kernels take multiples of 8",
                Mesh.ONE.withHeads(2).refusal(odd, true, HALVES).orElse(""));
        assertEquals(
                "",
                Mesh.ONE.withHeads(2).refusal(odd, true, new Grain(1, 4, 4, 0)).orElse(""));
        DitConfig narrow = new DitConfig(8, 1, 4, 32, 1, 4, 2.0, 6, true);
        assertEquals(
                "1 heads of 8 are 8 columns: these kernels take multiples of 16",
                Mesh.ONE.withHeads(4).refusal(narrow, true, HALVES).orElse(""));
        assertEquals("16 heads in 3 parts", refusal(Mesh.ONE.withTensor(3), true));
        DitConfig thin = new DitConfig(8, 1, 4, 64, 1, 4, 0.75, 6, true);
        assertEquals(
                "48 features of the MLP in 2 parts: these kernels take multiples of 16",
                Mesh.ONE.withTensor(2).refusal(thin, true, HALVES).orElse(""));
        DitConfig fifty = new DitConfig(6, 1, 4, 48, 1, 3, 50.01 / 48, 6, true);
        assertEquals(
                "50 features of the MLP in 3 parts: these kernels take multiples of 4",
                Mesh.ONE
                        .withTensor(3)
                        .refusal(fifty, true, new Grain(1, 4, 4, 0))
                        .orElse(""));
        assertThrows(IllegalArgumentException.class, () -> Mesh.ONE.withHalves(0));
    }

    /** 25 tokens of three channels by halves and in stages, and 36 on two devices; not 36 at once, nor of samples alone. */
    @Test
    void refusesPredictionsThatNoExchangeTakes() {
        Grain portable = new Grain(1, 4, 4, 0);
        DitConfig five = new DitConfig(5, 1, 3, 32, 2, 2, 2.0, 6, false);
        DitConfig six = new DitConfig(6, 1, 3, 32, 2, 2, 2.0, 6, false);
        String ofFive = "25 tokens at a time are predictions of 75 numbers: devices exchange multiples of 4";
        String ofSix = "18 tokens at a time are predictions of 54 numbers: devices exchange multiples of 4";
        assertEquals(
                ofFive, Mesh.ONE.withHalves(2).refusal(five, true, portable).orElse(""));
        assertEquals(
                ofFive, Mesh.ONE.withStages(2).refusal(five, true, portable).orElse(""));
        assertEquals(ofSix, Mesh.ONE.withRing(2).refusal(six, true, portable).orElse(""));
        assertEquals(
                ofSix,
                Mesh.ONE
                        .withStages(2)
                        .withFlow(new PatchFlow(2, 1))
                        .refusal(six, true, portable)
                        .orElse(""));
        assertEquals("", Mesh.ONE.withHalves(2).refusal(six, true, portable).orElse(""));
        assertEquals("", Mesh.ofSamples(2).refusal(five, true, portable).orElse(""));
    }

    private static String refusal(Mesh mesh, boolean guided) {
        return mesh.refusal(XL, guided, HALVES).orElse("");
    }

    /** Each block is in one stage; 28 in five stages are five or six each. */
    @Test
    void stagesHoldEachBlockOnce() {
        Mesh mesh = Mesh.ONE.withHalves(2).withStages(4).withMicroBatches(2);
        List<Integer> blocks = new ArrayList<>();
        for (int rank = 4; rank < 8; rank++) {
            Part part = mesh.part(XL, 3, true, rank);
            blocks.addAll(indices(part.layers()));
            assertEquals(7, part.layers().count());
            assertEquals(2, part.microPasses());
            assertEquals(2 * 1024, part.rows());
            assertEquals(rank == 4, part.isFirstStage());
            assertEquals(rank == 7, part.isLastStage());
            assertEquals(1, part.halves().first());
        }
        assertEquals(IntStream.range(0, 28).boxed().toList(), blocks);
        List<Integer> uneven = IntStream.range(0, 5)
                .mapToObj(rank ->
                        Mesh.ONE.withStages(5).part(XL, 1, true, rank).layers().count())
                .toList();
        assertEquals(List.of(5, 6, 5, 6, 6), uneven);
        assertEquals(
                "28 blocks in 29 stages",
                Axis.STAGES.refusal(Mesh.ONE.withStages(29), XL, true, HALVES).orElse(""));
        assertEquals(
                "--micro-batches is 2, and there is one stage; see --pipeline-parallel-degree",
                assertThrows(IllegalArgumentException.class, () -> Mesh.ONE.withMicroBatches(2))
                        .getMessage());
        assertEquals(
                "--data-parallel-degree 1 --pipeline-parallel-degree 2 --micro-batches 4",
                Mesh.ONE.withStages(2).withMicroBatches(4).options());
    }

    /** What all send is what all get. */
    @Test
    void countsBytesOfStages() {
        Mesh two = Mesh.ONE.withStages(2).withMicroBatches(2);
        long hidden = 2 * 1024 * 1152 * 4;
        long predictions = 2 * 1024 * 32 * 4;
        assertEquals(hidden, two.bytesSent(XL, 1, 1, HALVES, 0));
        assertEquals(predictions, two.bytesSent(XL, 1, 1, HALVES, 1));
        assertEquals(hidden, two.bytesSent(XL, 1, 1, HALVES));
        assertEquals(predictions, two.bytesReceived(XL, 1, 1, HALVES, 0));
        assertEquals(hidden, two.bytesReceived(XL, 1, 1, HALVES, 1));
        Mesh all = Mesh.ONE.withHalves(2).withStages(2).withHeads(2);
        long sent = 0;
        long received = 0;
        for (int rank = 0; rank < 8; rank++) {
            sent += all.bytesSent(XL, 3, 3, HALVES, rank);
            received += all.bytesReceived(XL, 3, 3, HALVES, rank);
        }
        assertEquals(sent, received);
    }

    /** XL/2 at 512, of which each device owns 14 blocks: 12 D^2 of weights each, biases, and six modulations of its pass. */
    @Test
    void countsBytesOfWeights() {
        long block = 12 * 1152 * 1152 * 4 + (9 * 1152 + 4) * 4 + 6 * 1152 * 4;
        Mesh halves = Mesh.ONE.withHalves(2);
        long others = halves.bytesSent(XL, 1, 1, HALVES);
        assertEquals(others + 14 * block + 1152 * 4, halves.withOwners(2).bytesSent(XL, 1, 1, HALVES));
        Mesh all = Mesh.ONE.withHalves(2).withHeads(4).withOwners(8);
        long sent = 0;
        long received = 0;
        for (int rank = 0; rank < 8; rank++) {
            sent += all.bytesSent(XL, 3, 3, HALVES, rank);
            received += all.bytesReceived(XL, 3, 3, HALVES, rank);
        }
        assertEquals(sent, received);
    }

    /** Each block has one owner among those that share it, and another slot than the block after it. */
    @Test
    void ownersHoldEachBlockOnce() {
        for (int owners = 2; owners <= 8; owners *= 2) {
            Mesh mesh = Mesh.ONE.withHalves(2).withHeads(4).withOwners(owners);
            for (int first = 0; first < 8 / owners; first++) {
                List<Integer> blocks = new ArrayList<>();
                for (int rank = first; rank < 8; rank += 8 / owners) {
                    Part part = mesh.part(XL, 1, true, rank);
                    assertTrue(part.sharesWeightsWith(mesh.part(XL, 1, true, first)));
                    assertEquals(first == 0, part.sharesWeightsWith(mesh.part(XL, 1, true, 0)));
                    blocks.addAll(part.ownLayers());
                    for (int block = 0; block < 28; block++) {
                        int slot = part.ownership().slot(block);
                        assertTrue(slot < part.slots(), "slot " + slot);
                        assertEquals(part.ownLayers().contains(block), slot < Math.ceilDiv(28, owners));
                        assertTrue(block == 27 || slot != part.ownership().slot(block + 1), "blocks from " + block);
                    }
                }
                assertEquals(
                        IntStream.range(0, 28).boxed().toList(),
                        blocks.stream().sorted().toList());
            }
        }
    }

    /** Who owns the next block stores it when a reader is done with all before the one that runs, but for a slack. */
    @Test
    void noRoomIsStoredIntoThatIsRead() {
        for (int owners = 2; owners <= 8; owners++) {
            for (int reader = 0; reader < owners; reader++) {
                Ownership ownership = new Ownership(owners, reader, 28);
                for (int next = 1; next < 28; next++) {
                    int done = next - 1 - ownership.slack();
                    for (int before = Math.max(0, done); before < next && !ownership.owns(next); before++) {
                        assertNotEquals(
                                ownership.slot(next),
                                ownership.slot(before),
                                "block %d comes to %d of %d while %d runs".formatted(next, reader, owners, before));
                    }
                }
            }
        }
    }

    @Test
    void refusesSharesOfWeightsThatAreDividedAlready() {
        assertEquals(
                "--pipeline-parallel-degree 2 leaves each device a share of the blocks' weights: leave out"
                        + " --fully-shard-degree, or that",
                refusal(Mesh.ONE.withStages(2).withOwners(2), true));
        assertEquals(
                "weights in 4 parts on 2 devices of a sample",
                refusal(Mesh.ONE.withHalves(2).withOwners(4), true));
        DitConfig ofThree = new DitConfig(6, 1, 4, 32, 3, 2, 2.0, 6, true);
        assertEquals(
                "weights in 2 parts on 3 devices of a sample",
                Mesh.ONE
                        .withRing(3)
                        .withOwners(2)
                        .refusal(ofThree, true, new Grain(1, 4, 4, 0))
                        .orElse(""));
        DitConfig shallow = new DitConfig(8, 1, 4, 64, 3, 4, 2.0, 6, true);
        assertEquals(
                "3 blocks in 4 parts",
                Mesh.ONE
                        .withHeads(4)
                        .withOwners(4)
                        .refusal(shallow, true, HALVES)
                        .orElse(""));
        assertEquals(
                "--data-parallel-degree 1 --use-cfg-parallel --fully-shard-degree 2",
                Mesh.ONE.withHalves(2).withOwners(2).options());
        assertThrows(IllegalArgumentException.class, () -> Mesh.ONE.withOwners(0));
    }

    /** Patches are another picture, of halves and samples at most; what is sent is what stages send. */
    @Test
    void patchesGoThroughStages() {
        Mesh mesh = Mesh.ONE.withHalves(2).withStages(2).withFlow(new PatchFlow(4, 2));
        assertEquals(java.util.Optional.empty(), mesh.refusal(XL, true, HALVES));
        assertEquals(Axis.Exactness.APPROXIMATE, mesh.exactness());
        assertEquals(
                "--data-parallel-degree 1 --use-cfg-parallel --pipefusion-parallel-degree 2 --num-pipeline-patch 4"
                        + " --warmup-steps 2",
                mesh.options());
        assertEquals("samples 1 x halves 2 x stages 2 of 4 patches", mesh.toString());
        Part part = mesh.part(XL, 3, true, 3);
        assertEquals(256, part.tokensAtOnce());
        assertEquals(3 * 256, part.rows());
        assertEquals(3 * 256, part.productRows());
        assertEquals(1024, part.tokens().count());
        for (int rank = 0; rank < 4; rank++) {
            Mesh stages = Mesh.ONE.withHalves(2).withStages(2);
            assertEquals(stages.bytesSent(XL, 1, 1, HALVES, rank), mesh.bytesSent(XL, 1, 1, HALVES, rank));
            assertEquals(stages.bytesReceived(XL, 1, 1, HALVES, rank), mesh.bytesReceived(XL, 1, 1, HALVES, rank));
        }
        assertEquals(Mesh.ONE.withHalves(2), mesh.withStages(1));
        assertEquals(Mesh.ONE, Mesh.ONE.withStages(2).withMicroBatches(4).withStages(1));
    }

    @Test
    void refusesPatchesInOneLine() {
        Mesh stages = Mesh.ONE.withStages(2);
        assertEquals(
                "1024 tokens in 3 patches (--num-pipeline-patch): these kernels take multiples of 8",
                refusal(stages.withFlow(new PatchFlow(3, 1)), true));
        assertEquals(
                "1024 tokens in 256 patches (--num-pipeline-patch): these kernels take multiples of 8",
                refusal(stages.withFlow(new PatchFlow(256, 1)), true));
        assertEquals(
                "--pipefusion-parallel-degree with --ulysses-degree: patches go with halves of guidance and with"
                        + " samples alone",
                refusal(stages.withHeads(2).withFlow(new PatchFlow(2, 1)), true));
        assertThrows(
                IllegalArgumentException.class, () -> stages.withMicroBatches(2).withFlow(new PatchFlow(2, 1)));
        assertEquals(
                "--num-pipeline-patch is 2, and there is one stage; see --pipefusion-parallel-degree",
                assertThrows(IllegalArgumentException.class, () -> Mesh.ONE.withFlow(new PatchFlow(2, 1)))
                        .getMessage());
        assertEquals(
                "--warmup-steps is 0, and the first step has no keys and values of a step before; at least 1 is"
                        + " possible",
                assertThrows(IllegalArgumentException.class, () -> new PatchFlow(2, 0))
                        .getMessage());
    }

    @Test
    void moreDevicesThanAnIntHoldsAreTheMost() {
        assertEquals(8, Mesh.ofSamples(4).withHalves(2).devices());
        assertEquals(
                Integer.MAX_VALUE, Mesh.ofSamples(1 << 16).withHeads(1 << 16).devices());
    }

    /** Of eight that share weights those wait in turn who meet in each block: the four of a half. */
    @Test
    void ownersSendInTurnToWhoMeetsInBlocks() {
        Mesh all = Mesh.ONE.withHalves(2).withHeads(4).withOwners(8);
        assertEquals(4, all.sendingInTurn());
        assertEquals(1, Mesh.ONE.withHalves(2).withOwners(2).sendingInTurn());
        assertEquals(2 * Link.PEERS.secondsOfSending(1000, 6), Link.PEERS.secondsOfSending(1000, 3), 1e-15);
    }

    /** XL/2 at 512: predictions of 1024 tokens of 32 floats; in each of 28 blocks q, k, v and the output of half of the heads. */
    @Test
    void countsBytes() {
        assertEquals(0, Mesh.ONE.bytesSent(XL, 1, 1, HALVES));
        assertEquals(0, Mesh.ofSamples(8).bytesSent(XL, 1, 1, HALVES));
        assertEquals(1024 * 32 * 4, Mesh.ONE.withHalves(2).bytesSent(XL, 1, 1, HALVES));
        assertEquals(
                2 * 512 * 32 * 4 + 28 * 2 * 512 * 4 * 576 * 4L,
                Mesh.ONE.withHeads(2).bytesSent(XL, 1, 1, HALVES));
        assertEquals(
                512 * 32 * 4 * 3 + 28 * 512 * 4 * 576 * 4L,
                Mesh.ONE.withHalves(2).withHeads(2).bytesSent(XL, 1, 1, HALVES));
    }
}
