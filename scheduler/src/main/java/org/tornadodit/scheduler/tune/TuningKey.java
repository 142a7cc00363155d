package org.tornadodit.scheduler.tune;

import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tornadodit.model.io.file.Sha256;

/**
 * What a tuning is good for. Of several equal devices one is tuned for all.
 *
 * @param device its name, as TornadoVM tells it
 * @param capability compute capability; empty where there is none
 * @param driver the driver's version
 * @param tornadovm version of TornadoVM, whose compiler made the code
 * @param project version of this project, whose kernels they are
 * @param precision of the products: {@code highest}, {@code higher} or {@code high}
 */
public record TuningKey(
        String device, String capability, String driver, String tornadovm, String project, String precision) {

    /** By name, in the order of the record. */
    Map<String, String> fields() {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("device", device);
        fields.put("capability", capability);
        fields.put("driver", driver);
        fields.put("tornadovm", tornadovm);
        fields.put("project", project);
        fields.put("precision", precision);
        return fields;
    }

    /** A file name that no other key has. */
    String fileName() {
        byte[] digest = Sha256.of(String.join("\n", fields().values()));
        return "tuning-" + HexFormat.of().formatHex(digest, 0, 8) + ".json";
    }
}
