package uk.ac.manchester.tornado.drivers.ptx.graal.lir;

import jdk.graal.compiler.nodes.ValueNode;
import jdk.graal.compiler.nodes.memory.address.AddressNode;
import jdk.graal.compiler.phases.common.AddressLoweringByNodePhase.AddressLowering;

/** How addresses are computed. */
public class PTXAddressLowering extends AddressLowering {
    @Override
    public AddressNode lower(ValueNode base, ValueNode offset) {
        throw new UnsupportedOperationException("stub");
    }
}
