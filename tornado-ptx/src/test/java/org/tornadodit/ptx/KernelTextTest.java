package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
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
