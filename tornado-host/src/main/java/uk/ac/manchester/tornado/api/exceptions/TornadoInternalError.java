package uk.ac.manchester.tornado.api.exceptions;

/** A state that the runtime takes for impossible, such as a device buffer that is freed twice. */
public class TornadoInternalError extends Error {
    private static final long serialVersionUID = 1L;

    /** @param args for {@link String#format} */
    public TornadoInternalError(String msg, Object... args) {
        super(args.length == 0 ? msg : String.format(msg, args));
    }
}
