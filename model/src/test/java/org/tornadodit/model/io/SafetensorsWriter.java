package org.tornadodit.model.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;

/** Writes small safetensors files of float32. */
public final class SafetensorsWriter {

    private final List<Tensor> tensors = new ArrayList<>();

    public SafetensorsWriter add(String name, Shape shape, float... tensor) {
        tensors.add(Tensor.of(name, shape, tensor));
        return this;
    }

    /** Adds a tensor of the values {@code first, first + 1, ...}. */
    public SafetensorsWriter count(String name, Shape shape, float first) {
        float[] tensor = new float[(int) shape.elements()];
        for (int i = 0; i < tensor.length; i++) {
            tensor[i] = first + i;
        }
        return add(name, shape, tensor);
    }

    public byte[] end() {
        StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        int offset = 0;
        for (Tensor tensor : tensors) {
            int end = offset + (int) tensor.data().byteSize();
            header.append(",\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                    .formatted(tensor.name(), tensor.shape().dims(), offset, end));
            offset = end;
        }
        ByteBuffer data = ByteBuffer.allocate(offset).order(ByteOrder.LITTLE_ENDIAN);
        for (Tensor tensor : tensors) {
            for (float value : tensor.toArray()) {
                data.putFloat(value);
            }
        }
        return file(header + "}  ", data.array());
    }

    /** A file of this header, whatever it says. */
    public static byte[] file(String header, byte... data) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + json.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .put(data)
                .array();
    }
}
