package org.tornadodit.runner.download;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A proxy that opens tunnels, whatever their host, to one server on this machine. */
public final class ConnectProxy implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
    private final int target;
    private final @Nullable String credentials;
    /** Hosts and ports that tunnels were asked for. */
    public final List<String> tunnels = new CopyOnWriteArrayList<>();

    /** @param credentials {@code user:password} that it wants; null for none */
    public ConnectProxy(int target, @Nullable String credentials) throws IOException {
        this.target = target;
        this.credentials = credentials;
        Thread.ofVirtual().start(this::accept);
    }

    public int port() {
        return listener.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                Thread.ofVirtual().start(() -> serve(client));
            }
        } catch (IOException closed) {
            // The test is over.
        }
    }

    private void serve(Socket client) {
        try (client) {
            InputStream in = client.getInputStream();
            OutputStream out = client.getOutputStream();
            while (true) {
                String head = head(in);
                if (head.isEmpty()) {
                    return;
                }
                String wanted = credentials == null
                        ? ""
                        : "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
                if (credentials != null && !head.contains("Proxy-Authorization: " + wanted + "\r\n")) {
                    out.write(
                            "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n\r\n"
                                    .getBytes(StandardCharsets.ISO_8859_1));
                    out.flush();
                    continue;
                }
                tunnels.add(head.split(" ", 3)[1]);
                out.write("HTTP/1.1 200 Go on\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
                out.flush();
                try (Socket server = new Socket(InetAddress.getLoopbackAddress(), target)) {
                    Thread back = Thread.ofVirtual().start(() -> pipe(server, client));
                    in.transferTo(server.getOutputStream());
                    back.join();
                }
                return;
            }
        } catch (IOException broken) {
            // One end closed.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pipe(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
            to.close();
        } catch (IOException broken) {
            // One end closed.
        }
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder text = new StringBuilder();
        while (text.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                return "";
            }
            text.append((char) next);
        }
        return text.toString();
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
