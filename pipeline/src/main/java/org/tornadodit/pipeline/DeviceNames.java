package org.tornadodit.pipeline;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.pipeline.setup.DeviceChoice;

/** What {@link PipelineBuilder#devices} names. */
record DeviceNames(Kind kind, List<Integer> indices) {
    private static final String EXPECTED =
            "expected auto, cpu, tornado, numbers of devices as in 0,1, or cpu:N with N from 1 to 99";

    private static final DeviceChoice.Words WORDS = new DeviceChoice.Words(
            "TornadoVM is not on the module path (java @$TORNADOVM_HOME/tornado-argfile ...)",
            "devices(\"cpu\")",
            "devices(\"cpu:%d\")",
            "DitPipeline.devices()");

    enum Kind {
        AUTO,
        CPU,
        TORNADO,
        NUMBERED,
        /** Emulated: as many as the one index says. */
        EMULATED
    }

    DeviceNames {
        indices = List.copyOf(indices);
    }

    static DeviceNames parse(String names) {
        return switch (names) {
            case "auto" -> new DeviceNames(Kind.AUTO, List.of());
            case "cpu" -> new DeviceNames(Kind.CPU, List.of());
            case "tornado" -> new DeviceNames(Kind.TORNADO, List.of());
            default -> {
                if (names.matches("cpu:[1-9][0-9]?")) {
                    yield new DeviceNames(Kind.EMULATED, List.of(Integer.parseInt(names.substring(4))));
                }
                if (!names.matches("[0-9]{1,4}(,[0-9]{1,4})*")) {
                    throw new IllegalArgumentException("devices is \"%s\", %s".formatted(names, EXPECTED));
                }
                List<Integer> indices = new ArrayList<>();
                for (String number : names.split(",", -1)) {
                    int index = Integer.parseInt(number);
                    if (indices.contains(index)) {
                        throw new IllegalArgumentException(
                                "devices \"%s\" names device %d twice".formatted(names, index));
                    }
                    indices.add(index);
                }
                yield new DeviceNames(Kind.NUMBERED, indices);
            }
        };
    }

    DeviceChoice find() {
        return switch (kind) {
            case AUTO -> DeviceChoice.automatic(WORDS);
            case CPU -> DeviceChoice.ofCpu(DeviceChoice.ASKED_FOR);
            case TORNADO -> DeviceChoice.tornado(WORDS);
            case NUMBERED -> DeviceChoice.numbered(indices, WORDS);
            case EMULATED -> DeviceChoice.emulated(indices.getFirst(), WORDS);
        };
    }
}
