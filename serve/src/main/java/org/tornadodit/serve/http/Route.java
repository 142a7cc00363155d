package org.tornadodit.serve.http;

import java.io.IOException;

/**
 * One way in.
 *
 * @param path as the OpenAPI document has it; {@code {id}} at its end stands for the rest of a path
 * @param open whether it asks for no token
 */
record Route(String method, String path, boolean open, Action action) {
    private static final String REST = "{id}";

    /** Answers a request. */
    @FunctionalInterface
    interface Action {
        void answer(Exchange exchange) throws IOException;
    }

    boolean matches(String wanted) {
        return path.endsWith(REST)
                ? wanted.startsWith(prefix()) && wanted.length() > prefix().length()
                : wanted.equals(path);
    }

    private String prefix() {
        return path.substring(0, path.length() - REST.length());
    }

    /** What stands in the place of {@code {id}}. */
    String rest(String wanted) {
        return wanted.substring(prefix().length());
    }

    /** HEAD is GET without a body. */
    boolean takes(String wanted) {
        return wanted.equals(method) || (wanted.equals("HEAD") && method.equals("GET"));
    }
}
