package org.tornadodit.ptx;

import jdk.graal.compiler.core.common.type.Stamp;
import jdk.graal.compiler.graph.NodeClass;
import jdk.graal.compiler.graph.NodeInputList;
import jdk.graal.compiler.nodeinfo.NodeCycles;
import jdk.graal.compiler.nodeinfo.NodeInfo;
import jdk.graal.compiler.nodeinfo.NodeSize;
import jdk.graal.compiler.nodes.FixedWithNextNode;
import jdk.graal.compiler.nodes.PiNode;
import jdk.graal.compiler.nodes.ValueNode;
import jdk.graal.compiler.nodes.memory.SingleMemoryKill;
import jdk.graal.compiler.nodes.spi.LIRLowerable;
import jdk.graal.compiler.nodes.spi.NodeLIRBuilderTool;
import org.graalvm.word.LocationIdentity;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.runtime.graal.nodes.interfaces.MarkArrayParameterAccess;

/** A call that keeps its place among memory accesses and others of its kind. */
@NodeInfo(shortName = "Instruction", cycles = NodeCycles.CYCLES_1, size = NodeSize.SIZE_1)
public final class InstructionNode extends FixedWithNextNode
        implements LIRLowerable, MarkArrayParameterAccess, SingleMemoryKill {

    public static final NodeClass<InstructionNode> TYPE = NodeClass.create(InstructionNode.class);

    @Input
    NodeInputList<ValueNode> arguments;

    private final Intrinsic intrinsic;

    InstructionNode(Intrinsic intrinsic, Stamp stamp, ValueNode[] arguments) {
        super(TYPE, stamp);
        this.intrinsic = intrinsic;
        this.arguments = new NodeInputList<>(this, arguments);
    }

    Intrinsic intrinsic() {
        return intrinsic;
    }

    ValueNode argument(int i) {
        return withoutPi(arguments.get(i));
    }

    /** The value itself, without what the compiler knows of it. */
    static ValueNode withoutPi(ValueNode value) {
        ValueNode inner = value;
        while (inner instanceof PiNode pi) {
            inner = pi.object();
        }
        return inner;
    }

    @Override
    public LocationIdentity getKilledLocationIdentity() {
        return LocationIdentity.any();
    }

    @Override
    public Access getArrayParameterAccess(ValueNode parameter) {
        boolean read = intrinsic.reads() >= 0 && argument(intrinsic.reads()).equals(parameter);
        boolean written =
                intrinsic.writes() >= 0 && argument(intrinsic.writes()).equals(parameter);
        return read && written
                ? Access.READ_WRITE
                : read ? Access.READ_ONLY : written ? Access.WRITE_ONLY : Access.NONE;
    }

    @Override
    public void generate(NodeLIRBuilderTool builder) {
        InstructionLowering.lower(builder, this, intrinsic, arguments);
    }
}
