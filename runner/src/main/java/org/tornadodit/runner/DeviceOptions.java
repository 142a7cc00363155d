package org.tornadodit.runner;

import picocli.CommandLine.Option;

/** Where a model runs. */
final class DeviceOptions {

    /** The engines. */
    enum Device {
        AUTO,
        CPU
    }

    @Option(
            names = "--device",
            paramLabel = "auto|cpu",
            defaultValue = "auto",
            description = "Where to run. Default: ${DEFAULT-VALUE}, which is the CPU in this version")
    Device device = Device.AUTO;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of the CPU engine. Default: one for each processor")
    int threads = Runtime.getRuntime().availableProcessors();
}
