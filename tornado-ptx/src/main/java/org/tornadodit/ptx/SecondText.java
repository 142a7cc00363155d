package org.tornadodit.ptx;

/**
 * A kernel's PTX with its lines {@code //!} put to work. TornadoVM writes neither directives in a kernel's header nor
 * dynamic shared memory, so these lines are comments in the text that it loads first.
 *
 * @param sharedBytes dynamic shared memory that a launch needs
 */
record SecondText(String ptx, int sharedBytes) {

    private static final String MARK = "//!";
    private static final String SHARED = MARK + "shared ";
    private static final String ENTRY = MARK + "entry ";
    private static final String LEFT_OUT = MARK + "-";

    static boolean isNeeded(String first) {
        return first.contains(MARK);
    }

    /** @throws IllegalArgumentException when the text is not a kernel as TornadoVM writes it */
    static SecondText of(String first) {
        StringBuilder text = new StringBuilder();
        StringBuilder header = new StringBuilder();
        int shared = 0;
        for (String line : first.split("\n", -1)) {
            String stripped = line.strip();
            if (stripped.startsWith(SHARED)) {
                if (shared > 0) {
                    throw new IllegalArgumentException("dynamic shared memory is asked for twice");
                }
                shared = Integer.parseInt(stripped.substring(SHARED.length()).strip());
            } else if (stripped.startsWith(ENTRY)) {
                header.append(' ').append(stripped.substring(ENTRY.length()).strip());
            } else if (stripped.startsWith(MARK)) {
                text.append('\t').append(stripped.substring(MARK.length())).append('\n');
            } else if (!stripped.endsWith(LEFT_OUT)) {
                text.append(line).append('\n');
            }
        }
        int entry = text.indexOf(".visible .entry");
        int body = entry < 0 ? -1 : text.indexOf(") {", entry);
        if (body < 0) {
            throw new IllegalArgumentException("there is no .visible .entry NAME(...) { in the PTX");
        }
        text.insert(body + 1, header);
        if (shared > 0) {
            text.insert(entry, ".extern .shared .align 1024 .b8 dynamicShared[];\n");
        }
        return new SecondText(text.toString(), shared);
    }
}
