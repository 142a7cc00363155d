package org.tornadodit.kernels;

import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.tornadodit.kernels.check.KernelCase;
import org.tornadodit.kernels.check.SmallCases;

/**
 * The same checks where TornadoVM's own compiler and a device run the kernels; those with PTX instructions, which need
 * tornado-ptx, are checked on a GPU by {@link org.tornadodit.kernels.bench.KernelBench}.
 */
@Tag("gpu")
class KernelDeviceTest extends KernelTest {
    @Override
    List<Supplier<KernelCase>> cases() {
        return SmallCases.portable();
    }
}
