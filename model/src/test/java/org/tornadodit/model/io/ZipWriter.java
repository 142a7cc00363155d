package org.tornadodit.model.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** Writes zip archives of stored entries, zip64 if asked for, with any claimed method and size. */
public final class ZipWriter {

    private final boolean zip64;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream directory = new ByteArrayOutputStream();
    private int count;

    /** @param zip64 whether every size and offset goes to the zip64 records, as for more than 4 GiB */
    public ZipWriter(boolean zip64) {
        this.zip64 = zip64;
    }

    /** An archive as torch.save writes it, with one storage of 24 bytes, the floats 0 to 5. */
    public static byte[] torch(byte[] pickle) {
        ByteBuffer floats = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 6; i++) {
            floats.putFloat(i);
        }
        return new ZipWriter(false)
                .entry("archive/data.pkl", pickle)
                .entry("archive/data/0", floats.array())
                .end();
    }

    public ZipWriter entry(String name, byte[] data) {
        return entry(name, data, 0, data.length);
    }

    public ZipWriter entry(String name, byte[] data, int method, long claimedSize) {
        return entry(name, data, method, claimedSize, claimedSize);
    }

    /** @param compressed size of the data as the directory claims; {@code size} that of the original */
    public ZipWriter entry(String name, byte[] data, int method, long compressed, long size) {
        CRC32 crc = new CRC32();
        crc.update(data);
        return entry(name, data, method, compressed, size, crc.getValue());
    }

    public ZipWriter entry(String name, byte[] data, int method, long compressed, long size, long crc) {
        byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
        long offset = out.size();
        // A local extra field of 5 bytes, which the directory does not have: torch aligns data with such a one.
        ByteBuffer local = buffer(30)
                .putInt(0x04034b50)
                .putShort((short) 20)
                .putShort((short) 0)
                .putShort((short) method)
                .putInt(0)
                .putInt(0)
                .putInt(data.length)
                .putInt(data.length)
                .putShort((short) nameBytes.length)
                .putShort((short) 5);
        out.writeBytes(local.array());
        out.writeBytes(nameBytes);
        out.writeBytes(new byte[] {'F', 'B', 1, 0, 'Z'});
        out.writeBytes(data);
        ByteBuffer central = buffer(46 + nameBytes.length + (zip64 ? 28 : 0))
                .putInt(0x02014b50)
                .putShort((short) 20)
                .putShort((short) 20)
                .putShort((short) 0)
                .putShort((short) method)
                .putInt(0)
                .putInt((int) crc)
                .putInt(zip64 ? -1 : (int) compressed)
                .putInt(zip64 ? -1 : (int) size)
                .putShort((short) nameBytes.length)
                .putShort((short) (zip64 ? 28 : 0))
                .putShort((short) 0)
                .putShort((short) 0)
                .putShort((short) 0)
                .putInt(0)
                .putInt(zip64 ? -1 : (int) offset)
                .put(nameBytes);
        if (zip64) {
            central.putShort((short) 1).putShort((short) 24);
            central.putLong(size).putLong(compressed).putLong(offset);
        }
        directory.writeBytes(central.array());
        count++;
        return this;
    }

    public byte[] end() {
        long start = out.size();
        out.writeBytes(directory.toByteArray());
        if (zip64) {
            long record = out.size();
            out.writeBytes(buffer(56)
                    .putInt(0x06064b50)
                    .putLong(44)
                    .putShort((short) 45)
                    .putShort((short) 45)
                    .putInt(0)
                    .putInt(0)
                    .putLong(count)
                    .putLong(count)
                    .putLong(directory.size())
                    .putLong(start)
                    .array());
            out.writeBytes(buffer(20)
                    .putInt(0x07064b50)
                    .putInt(0)
                    .putLong(record)
                    .putInt(1)
                    .array());
        }
        out.writeBytes(buffer(22)
                .putInt(0x06054b50)
                .putInt(0)
                .putShort((short) (zip64 ? -1 : count))
                .putShort((short) (zip64 ? -1 : count))
                .putInt(zip64 ? -1 : directory.size())
                .putInt(zip64 ? -1 : (int) start)
                .putShort((short) 0)
                .array());
        return out.toByteArray();
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
