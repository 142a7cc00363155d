package org.tornadodit.ptx;

import jdk.graal.compiler.core.common.type.Stamp;
import jdk.graal.compiler.graph.NodeClass;
import jdk.graal.compiler.graph.NodeInputList;
import jdk.graal.compiler.nodeinfo.NodeCycles;
import jdk.graal.compiler.nodeinfo.NodeInfo;
import jdk.graal.compiler.nodeinfo.NodeSize;
import jdk.graal.compiler.nodes.ValueNode;
import jdk.graal.compiler.nodes.calc.FloatingNode;
import jdk.graal.compiler.nodes.spi.LIRLowerable;
import jdk.graal.compiler.nodes.spi.NodeLIRBuilderTool;

/** A call whose result depends on its arguments alone: the compiler may move, merge or drop it. */
@NodeInfo(shortName = "FloatingInstruction", cycles = NodeCycles.CYCLES_1, size = NodeSize.SIZE_1)
public final class FloatingInstructionNode extends FloatingNode implements LIRLowerable {

    public static final NodeClass<FloatingInstructionNode> TYPE = NodeClass.create(FloatingInstructionNode.class);

    @Input
    NodeInputList<ValueNode> arguments;

    private final Intrinsic intrinsic;

    FloatingInstructionNode(Intrinsic intrinsic, Stamp stamp, ValueNode[] arguments) {
        super(TYPE, stamp);
        this.intrinsic = intrinsic;
        this.arguments = new NodeInputList<>(this, arguments);
    }

    @Override
    public void generate(NodeLIRBuilderTool builder) {
        InstructionLowering.lower(builder, this, intrinsic, arguments);
    }
}
