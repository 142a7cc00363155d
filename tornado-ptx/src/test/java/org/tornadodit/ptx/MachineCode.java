package org.tornadodit.ptx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Loops of machine code for Volta and later: an instruction has 16 bytes, whose lowest 12 bits are its operation. Only what is counted
 * here is known by name.
 */
final class MachineCode {
    private static final int BYTES = 16;
    private static final int BRANCH = 0x947;
    /** HMMA of Volta, which is a quarter of m8n8k4. */
    private static final int HMMA_VOLTA = 0x236;

    private static final int HMMA = 0x23c;
    /** From this capability on a branch's offset has 8 bits more, elsewhere. */
    private static final int LONG_OFFSETS = 90;

    private static final int NO_BITS = 8;

    /** A loop that no other with tensor core instructions is in. */
    record Loop(int instructions, int hmma) {
        double share() {
            return (double) hmma / instructions;
        }
    }

    /** Of instructions. */
    private record Range(int from, int to) {
        boolean hasInside(Range other) {
            return !equals(other) && from <= other.from && other.to <= to;
        }
    }

    private MachineCode() {}

    /** The longest innermost loop with instructions of the tensor cores (mma.sync's). */
    static Optional<Loop> innerLoop(byte[] elf, int capability) {
        List<Loop> inner = new ArrayList<>();
        for (ByteBuffer code : texts(elf)) {
            int count = code.remaining() / BYTES;
            List<Range> loops = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                if (operation(code, i) == BRANCH) {
                    int to = i + 1 + offset(code, i, capability);
                    if (to <= i && to >= 0 && hmma(code, to, i) > 0) {
                        loops.add(new Range(to, i));
                    }
                }
            }
            for (Range loop : loops) {
                if (loops.stream().noneMatch(loop::hasInside)) {
                    inner.add(new Loop(loop.to - loop.from + 1, hmma(code, loop.from, loop.to)));
                }
            }
        }
        return inner.stream().max((a, b) -> Integer.compare(a.hmma, b.hmma));
    }

    private static int hmma(ByteBuffer code, int from, int to) {
        int hmma = 0;
        for (int i = from; i <= to; i++) {
            int operation = operation(code, i);
            hmma += operation == HMMA || operation == HMMA_VOLTA ? 1 : 0;
        }
        return hmma;
    }

    private static int operation(ByteBuffer code, int i) {
        return (int) (code.getLong(i * BYTES) & 0xfff);
    }

    /** Instructions from the next one. Its bytes / 4 are a signed number from bit 34 on. */
    private static int offset(ByteBuffer code, int i, int capability) {
        long low = code.getLong(i * BYTES);
        long high = code.getLong(i * BYTES + Long.BYTES);
        long words = (high << 30 | low >>> 34) << 16 >> 16;
        if (capability >= LONG_OFFSETS) {
            words = words << 8 | ((low >>> 16) & 0xff);
        }
        return (int) (words * 4 / BYTES);
    }

    private static List<ByteBuffer> texts(byte[] elf) {
        ByteBuffer file = ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN);
        int table = (int) file.getLong(0x28);
        int size = file.getShort(0x3a);
        int count = file.getShort(0x3c);
        int names = (int) file.getLong(table + file.getShort(0x3e) * size + 0x18);
        List<ByteBuffer> texts = new ArrayList<>();
        for (int s = 0; s < count; s++) {
            int section = table + s * size;
            byte[] name = new byte[6];
            int nameAt = names + file.getInt(section);
            file.get(nameAt, name, 0, Math.min(name.length, elf.length - nameAt));
            if (file.getInt(section + 4) != NO_BITS && ".text.".equals(new String(name, StandardCharsets.US_ASCII))) {
                texts.add(file.slice((int) file.getLong(section + 0x18), (int) file.getLong(section + 0x20))
                        .order(ByteOrder.LITTLE_ENDIAN));
            }
        }
        return texts;
    }
}
