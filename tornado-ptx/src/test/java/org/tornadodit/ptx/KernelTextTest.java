package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KernelTextTest {

    private static String written(String name, String registers, int label) {
        return ".version 8.0\n.target sm_90a\n\n.visible .entry " + name + "(.param .u64 x) {\n" + registers
                + "BLOCK_0:\n\t{ PTX_" + label + ": try; bra PTX_" + label + "; }\n\t{ PTX_" + (label + 7)
                + ": try; bra PTX_" + (label + 7) + "; }\n\tret;\n}\n";
    }

    @Test
    void twoRunsHaveOneText() {
        KernelText one = KernelText.of(
                written("d0_block_qkv_context_1628808073", "\t.reg .f32 rfi<5>;\n\t.reg .b32 rsi<7>;\n", 1200),
                "d0_block_qkv_context_1628808073",
                "Linear_linear");
        KernelText two = KernelText.of(
                written("d1_block_qkv_context_81", "\t.reg .b32 rsi<7>;\n\t.reg .f32 rfi<5>;\n", 1192),
                "d1_block_qkv_context_81",
                "Linear_linear");
        assertEquals(one, two);
        assertFalse(one.marked());
        assertTrue(one.ptx().contains(".entry Linear_linear(.param"), one.ptx());
        assertTrue(one.ptx().contains("PTX_1: try; bra PTX_1;"), one.ptx());
        assertTrue(one.ptx().contains("PTX_2: try; bra PTX_2;"), one.ptx());
    }

    /** As TornadoVM writes a kernel whose first block that wants the thread's number is not on every way to the next. */
    private static String inBranches(String branch, String common) {
        return """
            .visible .entry a_kernel(.param .u64 x) {
            \t.reg .s32 rsi<4>;

            BLOCK_0:
            \tld.param.u64\trud0, [x];
            \tld.global.s32\trsi0, [rud0];
            \tsetp.eq.s32\trpb0, rsi0, 4;
            \t@!rpb0 bra\tBLOCK_2;

            BLOCK_1:
            \tbra.uni\tBLOCK_3;

            BLOCK_2:
            \t%s
            \tbra.uni\tBLOCK_3;

            BLOCK_3:
            \t%s
            \tret;
            }
            """.formatted(branch, common);
    }

    @Test
    void numberOfThreadIsReadOnAllWays() {
        String read = "mov.u32\trui0, %tid.x;";
        String use = "st.global.u32\t[rud0], rui0;";
        assertEquals(Set.of("rui0"), DefiniteAssignment.unassigned(inBranches(read, use)));
        KernelText text = KernelText.of(inBranches(read, use), "a_kernel", "K_k");
        assertTrue(text.ptx().contains("BLOCK_0:\n\tmov.u32\trui0, %tid.x;\n\tld.param"), text.ptx());
        assertEquals(text.ptx().indexOf("%tid"), text.ptx().lastIndexOf("%tid"));
        String everywhere = inBranches("bar.sync\t0;", read + "\n\t" + use);
        assertEquals(
                everywhere.replace("a_kernel", "K_k"),
                KernelText.of(everywhere, "a_kernel", "K_k").ptx());
    }

    @Test
    void registersThatNothingHasSetAreRefused() {
        for (String use : List.of(
                "st.global.s32\t[rud0], rsi1;",
                "@rpb7 bra\tBLOCK_3;",
                "add.s32\trsi2, rsi0, rsi1;",
                "{ .reg .b32 %t; cvt.rn.f16x2.f32 %t, rfi3, rfi4; mov.b32 rsi2, %t; }",
                "{ .reg .b64 %ga; mul.wide.s32 %ga, rsi1, 4; st.global.b32 [%ga+16+0], rsi0; }")) {
            String written = inBranches("mov.s32\trsi1, 0;\n\tsetp.eq.s32\trpb7, rsi0, 1;", use);
            IllegalStateException refused =
                    assertThrows(IllegalStateException.class, () -> KernelText.of(written, "a_kernel", "K_k"), use);
            assertTrue(String.valueOf(refused.getMessage()).contains("K_k would read registers that nothing has set: r"), use);
        }
        String loop = inBranches("mov.s32\trsi1, 0;", "mov.s32\trsi2, rsi0;\n\tadd.s32\trsi2, rsi2, 1;");
        assertEquals(Set.of(), DefiniteAssignment.unassigned(loop));
    }

    @Test
    void otherCodeHasAnotherText() {
        String name = "a_kernel";
        KernelText one = KernelText.of(written(name, "\t.reg .f32 rfi<5>;\n", 1), name, "K_k");
        KernelText two = KernelText.of(written(name, "\t.reg .f32 rfi<6>;\n", 1), name, "K_k");
        assertFalse(one.equals(two));
    }

    @Test
    void marksAreAtWork() {
        String name = "a_kernel";
        KernelText text =
                KernelText.of(written(name, "\t//!shared 2048\n\t//!entry .maxntid 96, 1, 1\n", 1), name, "K_k");
        assertTrue(text.marked());
        assertEquals(2048, text.sharedBytes());
        assertTrue(text.ptx().contains("K_k(.param .u64 x) .maxntid 96, 1, 1 {"), text.ptx());
    }

    @Test
    void bytesComeBack() {
        KernelText text = new KernelText("K_k", ".version 8.0 // µ\n", 17, true);
        byte[] bytes = text.bytes();
        assertEquals(text, KernelText.read(bytes));
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThrows(IllegalArgumentException.class, () -> KernelText.read(cut), "length " + length);
        }
        assertThrows(IllegalArgumentException.class, () -> KernelText.read(Arrays.copyOf(bytes, bytes.length + 1)));
    }

    @Test
    void arraysOfTheWorkGroupAreAddressedByElement() {
        String good = "\tst.shared.f32\trsiArr0[rsi10], rfi1;\n";
        assertEquals(good, KernelText.of(good, "name", "entry").ptx());
        assertThrows(
                IllegalStateException.class,
                () -> KernelText.of("\tst.shared.f32\trsiArr0[rsd6], rfi1;\n", "name", "entry"));
    }
}
