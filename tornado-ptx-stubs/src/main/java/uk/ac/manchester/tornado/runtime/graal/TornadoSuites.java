package uk.ac.manchester.tornado.runtime.graal;

import jdk.graal.compiler.options.OptionValues;
import jdk.graal.compiler.phases.common.AddressLoweringByNodePhase.AddressLowering;
import jdk.graal.compiler.phases.common.CanonicalizerPhase.CustomSimplification;
import jdk.vm.ci.meta.MetaAccessProvider;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.TornadoDeviceContext;
import uk.ac.manchester.tornado.runtime.graal.compiler.TornadoCompilerConfiguration;
import uk.ac.manchester.tornado.runtime.graal.compiler.TornadoHighTier;
import uk.ac.manchester.tornado.runtime.graal.compiler.TornadoSketchTier;

/** A compiler's phases. */
public class TornadoSuites {
    public TornadoSuites(
            OptionValues options,
            TornadoDeviceContext deviceContext,
            TornadoCompilerConfiguration config,
            MetaAccessProvider metaAccess,
            @Nullable CustomSimplification canonicalizer,
            AddressLowering addressLowering) {
        throw new UnsupportedOperationException("stub");
    }

    public TornadoSketchTier getSketchTier() {
        throw new UnsupportedOperationException("stub");
    }

    public TornadoHighTier getHighTier() {
        throw new UnsupportedOperationException("stub");
    }

    public TornadoLIRSuites getLIRSuites() {
        throw new UnsupportedOperationException("stub");
    }
}
