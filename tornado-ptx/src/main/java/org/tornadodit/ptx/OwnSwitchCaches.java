package org.tornadodit.ptx;

import java.util.Optional;
import jdk.graal.compiler.nodes.GraphState;
import jdk.graal.compiler.nodes.StructuredGraph;
import jdk.graal.compiler.nodes.extended.SwitchNode;
import jdk.graal.compiler.phases.BasePhase;
import jdk.graal.compiler.phases.tiers.HighTierContext;

/**
 * Gives the switches of a graph caches of their own. TornadoVM compiles copies of a graph that it keeps for each method, and
 * a copied switch shares its cache of probabilities with the original: what is noted there by each compilation holds that
 * compilation's whole graph, 4 MB of Java's heap for each engine that is loaded.
 */
final class OwnSwitchCaches extends BasePhase<HighTierContext> {

    @Override
    public Optional<NotApplicable> notApplicableTo(GraphState state) {
        return ALWAYS_APPLICABLE;
    }

    @Override
    protected void run(StructuredGraph graph, HighTierContext context) {
        graph.getNodes().filter(SwitchNode.class).forEach(SwitchNode::beforeEncode); // all it does is drop the cache
    }
}
