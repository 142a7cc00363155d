package org.tornadodit.runner;

/** What the process returns to the shell. */
final class ExitCode {
    static final int DONE = 0;
    static final int FAILURE = 1;
    static final int USAGE = 2;
    static final int NO_DEVICE = 3;
    static final int CHECKPOINT = 4;
    static final int GATE_FAILED = 5;

    private ExitCode() {}
}
