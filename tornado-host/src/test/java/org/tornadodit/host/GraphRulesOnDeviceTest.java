package org.tornadodit.host;

import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The rules of {@link GraphRulesTest} on TornadoVM itself. */
@Tag("gpu")
class GraphRulesOnDeviceTest extends GraphRulesTest {
    @BeforeAll
    static void runsOnTornadoVM() {
        assertFalse(HostRuntime.isActive(), "TornadoVM's modules are not on the module path");
    }
}
