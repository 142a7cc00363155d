package org.tornadodit.ptx;

import java.io.IOException;

/** Makes machine code of PTX. */
interface Assembler {
    /** For a line of a report. */
    String name();

    /**
     * @param target of the machine code, as sm_80
     * @throws AssemblerException when it refuses, with its words
     */
    Assembly assemble(String ptx, String target) throws IOException;

    /** The assembler's words. */
    final class AssemblerException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        AssemblerException(String words) {
            super(words);
        }
    }
}
