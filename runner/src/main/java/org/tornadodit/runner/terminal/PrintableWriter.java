package org.tornadodit.runner.terminal;

import java.io.FilterWriter;
import java.io.IOException;
import java.io.Writer;
import org.tornadodit.model.Printable;

/** Passes text on but for characters that a terminal would obey: names and values of files reach stderr in many ways. */
public final class PrintableWriter extends FilterWriter {

    public PrintableWriter(Writer out) {
        super(out);
    }

    @Override
    public void write(int c) throws IOException {
        super.write(isHidden((char) c) ? '?' : c);
    }

    @Override
    public void write(char[] text, int offset, int length) throws IOException {
        write(new String(text, offset, length), 0, length);
    }

    @Override
    public void write(String text, int offset, int length) throws IOException {
        char[] shown = text.substring(offset, offset + length).toCharArray();
        for (int i = 0; i < shown.length; i++) {
            if (isHidden(shown[i])) {
                shown[i] = '?';
            }
        }
        super.write(shown, 0, shown.length);
    }

    private static boolean isHidden(char c) {
        return c != '\n' && c != '\r' && c != '\t' && !Character.isSurrogate(c) && Printable.isHidden(c);
    }
}
