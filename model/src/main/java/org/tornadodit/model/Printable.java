package org.tornadodit.model;

import java.nio.file.Path;
import java.util.stream.Collectors;

/** Text of files, and their names, for messages and reports: nothing that forges lines or drives a terminal, no walls. */
public final class Printable {
    private static final int LONGEST_TEXT = 120;

    /** Longer than any path that somebody types. */
    private static final int LONGEST_PATH = 300;

    private Printable() {}

    /** On one line, cut after 120 characters. */
    public static String text(String text) {
        return text(text, LONGEST_TEXT);
    }

    /** On one line, cut after so many characters. */
    public static String text(String text, int longest) {
        int end = Math.min(text.length(), longest);
        StringBuilder line = new StringBuilder(end);
        for (int i = 0; i < end; i++) {
            char c = text.charAt(i);
            line.append(isHidden(c) ? '?' : c);
        }
        return end < text.length() ? line + "..." : line.toString();
    }

    /** On one line; of a path of more than 300 characters, beginning and end. */
    public static String path(Path path) {
        String text = path.toString();
        if (text.length() <= LONGEST_PATH) {
            return text(text, LONGEST_PATH);
        }
        int half = LONGEST_PATH / 2;
        return text(text, half) + text(text.substring(text.length() - half), half);
    }

    /** On one line; of a text of more than so many characters, the beginning and the last quarter. */
    public static String ends(String text, int longest) {
        if (text.length() <= longest) {
            return text(text, longest);
        }
        int end = longest / 4;
        return text(text, longest - end - 3) + text(text.substring(text.length() - end), end);
    }

    /** Lines as one, joined by semicolons without those that are blank, and cut as by {@link #ends}. */
    public static String line(String lines, int longest) {
        String line =
                lines.lines().map(String::strip).filter(each -> !each.isEmpty()).collect(Collectors.joining("; "));
        return ends(line, longest);
    }

    /** JSON whose strings hold what is hidden as {@code \\uXXXX} only, the same to whoever reads it as JSON. */
    public static String json(String json) {
        StringBuilder escaped = new StringBuilder(json.length());
        for (int i = 0; i < json.length(); i++) {
            char c = json.charAt(i);
            if (c != '\n' && isHidden(c)) {
                escaped.append(String.format("\\u%04x", (int) c));
            } else {
                escaped.append(c);
            }
        }
        return escaped.toString();
    }

    /** Whether a terminal would obey the character, or show nothing for it; halves of a pair count as hidden. */
    public static boolean isHidden(char c) {
        int type = Character.getType(c);
        return Character.isISOControl(c)
                || type == Character.FORMAT
                || type == Character.LINE_SEPARATOR
                || type == Character.PARAGRAPH_SEPARATOR
                || type == Character.SURROGATE
                || type == Character.PRIVATE_USE
                || type == Character.UNASSIGNED;
    }
}
