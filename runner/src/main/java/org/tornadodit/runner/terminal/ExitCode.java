package org.tornadodit.runner.terminal;

/** What the process returns to the shell. */
public final class ExitCode {
    public static final int DONE = 0;
    public static final int FAILURE = 1;
    public static final int USAGE = 2;
    public static final int NO_DEVICE = 3;
    public static final int CHECKPOINT = 4;
    public static final int GATE_FAILED = 5;

    /** What no retry mends, of commands that schedulers start again; as Slurm and Kubernetes users have it. */
    public static final int PERMANENT = 42;

    private ExitCode() {}
}
