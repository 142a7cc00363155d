package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AssemblyTest {
    private static final byte[] NO_CODE = new byte[0];
    private static final CapabilityLimits TURING = new CapabilityLimits(75, 65536);

    private static KernelText text(int sharedBytes) {
        return new KernelText(
                "MmaLinear_linear",
                ".target sm_75\n.entry a() .maxntid 256, 1, 1 .minnctapersm 1 {}",
                sharedBytes,
                true);
    }

    @Test
    void sizesAreReadFromTheAssemblersWords() {
        Assembly assembly = Assembly.of(
                "ptxas info    : Function properties for a\n"
                        + "    8 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads\n"
                        + "ptxas info    : Used 182 registers, used 1 barriers, 1024 bytes smem\n",
                NO_CODE);
        assertEquals(182, assembly.registers());
        assertEquals(12, assembly.spilledBytes());
        assertEquals(1024, assembly.sharedBytes());
        assertThrows(IllegalArgumentException.class, () -> Assembly.of("nothing", NO_CODE));
    }

    @Test
    void spillsAndLimitsAreProblems() {
        assertEquals(Optional.empty(), TURING.problem(text(65536), new Assembly(255, 0, 0, NO_CODE)));
        assertEquals(Optional.of("spills 4 bytes"), TURING.problem(text(0), new Assembly(255, 4, 0, NO_CODE)));
        assertEquals(
                Optional.of("takes 65540 bytes of shared memory of 65536"),
                TURING.problem(text(65536), new Assembly(255, 0, 4, NO_CODE)));
        KernelText two = new KernelText("a", ".entry a() .maxntid 256, 1, 1 .minnctapersm 2 {}", 0, true);
        assertEquals(
                Optional.of("takes 69632 registers of 65536"), TURING.problem(two, new Assembly(129, 0, 0, NO_CODE)));
    }

    /** An outer loop around one of five instructions, two of them HMMA, as Volta's or Turing's code and Hopper's have it. */
    @ParameterizedTest
    @ValueSource(ints = {70, 80, 90})
    void innermostLoopIsCounted(int capability) {
        int hmma = capability == 70 ? 0x236 : 0x23c;
        long[] operations = {0x202, 0x210, hmma, hmma, 0x984, 0x210, 0x947, 0x210, 0x947, 0x94d};
        ByteBuffer code = ByteBuffer.allocate(operations.length * 16).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < operations.length; i++) {
            long low = operations[i] | 0x7000;
            long high = 0x000fc00003800000L;
            if (operations[i] == 0x947) {
                long words = (i == 6 ? -5 : -9) * 4L;
                long field = capability >= 90 ? words >> 8 : words;
                low |= field << 34 | (capability >= 90 ? (words & 0xff) << 16 : 0);
                high |= field >>> 30 & 0x3ffff;
            }
            code.putLong(low).putLong(high);
        }
        assertEquals(Optional.of(new MachineCode.Loop(5, 2)), MachineCode.innerLoop(elf(code.array()), capability));
    }

    private static byte[] elf(byte[] code) {
        byte[] names = "\0.text.kernel\0.names\0".getBytes(StandardCharsets.US_ASCII);
        int namesAt = 64 + code.length;
        int table = namesAt + names.length;
        ByteBuffer elf = ByteBuffer.allocate(table + 3 * 64).order(ByteOrder.LITTLE_ENDIAN);
        elf.putLong(0x28, table)
                .putShort(0x3a, (short) 64)
                .putShort(0x3c, (short) 3)
                .putShort(0x3e, (short) 2);
        elf.put(64, code).put(namesAt, names);
        elf.putInt(table + 64, 1).putInt(table + 68, 1).putLong(table + 88, 64).putLong(table + 96, code.length);
        elf.putInt(table + 128, 14)
                .putInt(table + 132, 3)
                .putLong(table + 152, namesAt)
                .putLong(table + 160, names.length);
        return elf.array();
    }
}
