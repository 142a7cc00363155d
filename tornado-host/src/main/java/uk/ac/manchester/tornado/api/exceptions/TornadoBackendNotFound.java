package uk.ac.manchester.tornado.api.exceptions;

/** There is no backend of that index or kind. */
public class TornadoBackendNotFound extends TornadoRuntimeException {
    private static final long serialVersionUID = 1L;

    public TornadoBackendNotFound(String message) {
        super(message);
    }
}
