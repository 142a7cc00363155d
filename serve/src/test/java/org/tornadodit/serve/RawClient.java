package org.tornadodit.serve;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;

/** A client that keeps to no rule. */
final class RawClient implements AutoCloseable {
    private final Socket socket;

    RawClient(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(60_000);
    }

    /** @param receives bytes that may lie here unread */
    RawClient(int port, int receives) throws IOException {
        socket = new Socket();
        socket.setReceiveBufferSize(receives);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setSoTimeout(60_000);
    }

    /** Headers and body of a request for pictures. */
    static String generation(String body) {
        return "POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: %d\r\n\r\n%s".formatted(body.length(), body);
    }

    RawClient send(String text) throws IOException {
        return send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    RawClient send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
        return this;
    }

    /** What comes until the server closes; empty where it does without an answer. */
    String readAll() {
        StringBuilder all = new StringBuilder();
        try {
            InputStream in = socket.getInputStream();
            byte[] buffer = new byte[1 << 16];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                all.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
            }
        } catch (SocketException reset) {
            return all.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(all.toString(), e);
        }
        return all.toString();
    }

    /** So many bytes, or fewer where the server closes before. */
    byte[] read(int count) throws IOException {
        return socket.getInputStream().readNBytes(count);
    }

    /** What comes until there is this text. */
    String readUntil(String wanted) throws IOException {
        StringBuilder all = new StringBuilder();
        byte[] buffer = new byte[1 << 16];
        long end = System.nanoTime() + 30_000_000_000L;
        while (all.indexOf(wanted) < 0) {
            if (System.nanoTime() > end) {
                throw new IOException("not there in 30 s: " + wanted);
            }
            int count = socket.getInputStream().read(buffer);
            if (count < 0) {
                throw new IOException("closed after: " + all.substring(Math.max(0, all.length() - 1000)));
            }
            all.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
        }
        return all.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
