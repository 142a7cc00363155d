package org.tornadodit.scheduler.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Kernels never run as sequential Java in silence. */
class TornadoPropertiesTest {
    private static final String OPTIONS =
            "; start Java with -Dtornado.device.memory=4096GB -Dtornado.experimental.reduce=False"
                    + " -Dtornado.max.events=256 -Dtornado.opencl.compiler.flags=-w -Dtornado.recover.bailout=False"
                    + " -Dtornado.tvm.maxbytecodesize=65536";

    @Test
    void acceptsWhatTornadoHasTaken() {
        assertEquals(Optional.empty(), TornadoProperties.refusal("False", false));
        assertEquals(Optional.empty(), TornadoProperties.refusal("False", null), "an SDK that does not tell");
    }

    @Test
    void refusesWhenItsClassesWereUsedBefore() {
        assertEquals(
                Optional.of(
                        "TornadoVM would run kernels that do not compile as sequential Java, in silence: its classes"
                                + " were used before tornado.recover.bailout was set" + OPTIONS),
                TornadoProperties.refusal("False", true));
    }

    @Test
    void refusesWhatTheUserAsksFor() {
        assertEquals(
                Optional.of("TornadoVM would run kernels that do not compile as sequential Java, in silence:"
                        + " tornado.recover.bailout is True" + OPTIONS),
                TornadoProperties.refusal("True", true));
    }

    @Test
    void setsWhatIsNotSet() {
        TornadoProperties.apply();
        assertTrue(TornadoProperties.all().contains("tornado.recover.bailout=False"), TornadoProperties.all());
    }
}
