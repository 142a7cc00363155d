package org.tornadodit.pipeline.setup;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a model's name says it was trained to predict; tensors and files are in ObjectiveReferencesTest. */
class CheckpointObjectiveTest {

    @ParameterizedTest
    @CsvSource({
        "SiT-XL/2, true",
        "sit-b/4, true",
        "sit-of-mine.json, true",
        "models/SiT-of-mine.json, true",
        "DiT-XL/2, false",
        "sit-models/mine.json, false",
        "'', false"
    })
    void aSitIsKnownByItsNameAndNotByItsFolders(String model, boolean sit) {
        assertEquals(sit, CheckpointObjective.isSit(model));
    }
}
