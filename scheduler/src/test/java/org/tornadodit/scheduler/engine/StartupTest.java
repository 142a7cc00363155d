package org.tornadodit.scheduler.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.ptx.KernelCompiler.Work;
import org.tornadodit.scheduler.engine.Startup.Phase;
import org.tornadodit.scheduler.engine.Startup.Running;

class StartupTest {

    @Test
    void tellsWhatIsBeingDoneAndWhatTookHowLong() {
        List<String> told = new ArrayList<>();
        Startup startup = new Startup(2, told::add);
        try (Running weights = startup.begin("", "weights")) {
            assertEquals("weights", told.getLast());
        }
        try (Running first = startup.begin("device 0", "kernels");
                Running second = startup.begin("device 1", "kernels")) {
            assertEquals("device 0, device 1: kernels", told.getLast());
            second.detail("3 of 81");
            assertEquals("device 0: kernels; device 1: kernels 3 of 81", told.getLast());
        }
        assertEquals("", told.getLast());
        Running twice = startup.begin("device 0", "loading");
        twice.close();
        twice.detail("too late");
        twice.close();
        assertEquals("", told.getLast());
        startup.count("device 0", new Work(80, 79, 1, 2));
        startup.count("device 0", new Work(1, 1, 0.5, 0));
        startup.count("device 1", Work.NONE);
        assertEquals(
                List.of("Java", "weights", "kernels", "kernels", "loading"),
                startup.phases().stream().map(Phase::what).toList());
        for (Phase phase : startup.phases()) {
            assertTrue(phase.seconds() >= 0 && phase.end() <= startup.seconds(), phase.toString());
        }
        assertEquals(2, startup.phases().getFirst().seconds(), 1e-9);
        List<String> table = startup.table();
        assertTrue(
                table.contains(
                        "device 0: 81 kernels, 80 of them compiled before; 1.500 s to PTX, then 2.000 s in the driver"),
                table.toString());
        assertTrue(table.stream().anyMatch(line -> line.endsWith("device 1: kernels")), table.toString());
        assertTrue(table.getLast().endsWith("ready"), table.toString());
    }
}
