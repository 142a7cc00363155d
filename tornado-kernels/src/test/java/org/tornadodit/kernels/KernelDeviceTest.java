package org.tornadodit.kernels;

import org.junit.jupiter.api.Tag;

/** The same checks where TornadoVM's own compiler and a device run the kernels. */
@Tag("gpu")
class KernelDeviceTest extends KernelTest {}
