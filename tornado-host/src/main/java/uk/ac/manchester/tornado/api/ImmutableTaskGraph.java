package uk.ac.manchester.tornado.api;

import org.tornadodit.host.GraphDefinition;

/** A task graph that does not change any more. */
public class ImmutableTaskGraph {
    private final GraphDefinition definition;

    ImmutableTaskGraph(GraphDefinition definition) {
        this.definition = definition;
    }

    GraphDefinition definition() {
        return definition;
    }
}
