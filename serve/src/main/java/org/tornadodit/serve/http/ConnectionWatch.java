package org.tornadodit.serve.http;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.jetty.io.Connection;

/**
 * Closes connections that keep the server waiting: for a whole request, headers and body together, or for an answer to be taken.
 * What counts is the time of all of it, so that a byte now and then does not help. While a request is at work its connection may be
 * silent.
 */
final class ConnectionWatch implements Connection.Listener, AutoCloseable {
    private static final long PERIOD_MILLIS = 250;

    /** The server is at work: no limit. */
    private static final long AT_WORK = Long.MAX_VALUE;

    private final long patienceNanos;
    /** Of each connection, when it has been waited for too long, as {@link System#nanoTime}. */
    private final Map<Connection, AtomicLong> deadlines = new ConcurrentHashMap<>();

    private final Thread watching = Thread.ofVirtual().unstarted(this::watch);

    /** @param patience for a request to be read, and for a part of an answer to be taken */
    ConnectionWatch(Duration patience) {
        patienceNanos = patience.toNanos();
    }

    void start() {
        watching.start();
    }

    @Override
    public void onOpened(Connection connection) {
        deadlines.put(connection, new AtomicLong(later()));
    }

    @Override
    public void onClosed(Connection connection) {
        deadlines.remove(connection);
    }

    private long later() {
        return System.nanoTime() + patienceNanos;
    }

    /** Something is awaited of this connection from now on: a request, or that it takes an answer. */
    void awaits(Connection connection) {
        set(connection, later());
    }

    /** The server is at work for it. */
    void works(Connection connection) {
        set(connection, AT_WORK);
    }

    private void set(Connection connection, long deadline) {
        AtomicLong its = deadlines.get(connection);
        if (its != null) {
            its.set(deadline);
        }
    }

    /** Connections that are open. */
    int open() {
        return deadlines.size();
    }

    private void watch() {
        while (true) {
            try {
                Thread.sleep(PERIOD_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
            long now = System.nanoTime();
            deadlines.forEach((connection, deadline) -> {
                long its = deadline.get();
                if (its != AT_WORK && now - its > 0) {
                    connection.getEndPoint().close();
                }
            });
        }
    }

    @Override
    public void close() {
        watching.interrupt();
    }
}
