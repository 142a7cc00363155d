package org.tornadodit.runner.command;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Lists TornadoVM's devices and tries each. */
@Command(
        name = "devices",
        mixinStandardHelpOptions = true,
        description =
                "Lists the devices that TornadoVM sees: index, name, memory, backend, compute units, and whether a"
                        + " tiny kernel gives the right values.",
        footerHeading = "%nExamples:%n",
        footer = {"  dit devices", "  dit sample --devices 0,1"})
public final class DevicesCommand implements Callable<Integer> {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (!TornadoDevices.sdkIsPresent()) {
            throw new DeviceUnavailableException(
                    Surroundings.read().sdkProblem() + "; run ./setup-tornado.sh; without it the CPU engine serves");
        }
        List<ListedDevice> devices = TornadoDevices.list();
        if (devices.isEmpty()) {
            throw new DeviceUnavailableException("TornadoVM sees no device; is the NVIDIA driver installed?");
        }
        boolean allRight = true;
        for (ListedDevice device : devices) {
            String test;
            try {
                test = TornadoDevices.selfTest(device) ? "self-test passed" : "SELF-TEST GAVE WRONG VALUES";
            } catch (RuntimeException e) {
                test = "SELF-TEST FAILED: " + e.getMessage();
            }
            allRight &= test.equals("self-test passed");
            out.println(String.format(Locale.ROOT, "%s, %d compute units, %s", device, device.computeUnits(), test));
        }
        return allRight ? ExitCode.DONE : ExitCode.FAILURE;
    }
}
