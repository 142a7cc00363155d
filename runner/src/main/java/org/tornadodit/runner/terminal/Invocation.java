package org.tornadodit.runner.terminal;

import java.io.PrintStream;

/** What one call of the command line has of the process. Picocli's root object is one. */
public interface Invocation {

    /** What an image or another file of bytes goes to where its name is {@code -}. */
    PrintStream stdout();

    /** What is said and done when the process is asked to end. */
    Interruption interruption();

    /** Of this program, as {@code --version} and pictures tell it. */
    String version();

    /** Whether to tell more than a user needs. */
    boolean debug();
}
