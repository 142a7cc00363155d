package org.tornadodit.runner.download;

import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;

/** Reads a stream and closes it when no byte has come for a while; the client itself would wait for ever. */
final class Watchdog implements AutoCloseable {
    private final InputStream stream;
    private final Duration stall;
    private final Thread thread;
    private volatile long heard = System.nanoTime();
    private volatile boolean barked;

    Watchdog(InputStream stream, Duration stall) {
        this.stream = stream;
        this.stall = stall;
        this.thread = Thread.ofPlatform().daemon().name("download-watchdog").start(this::watch);
    }

    private void watch() {
        long period = Math.clamp(stall.toMillis() / 4, 10, 1000);
        try {
            while (System.nanoTime() - heard < stall.toNanos()) {
                Thread.sleep(period);
            }
            barked = true;
            stream.close();
        } catch (InterruptedException done) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            System.getLogger("dit").log(System.Logger.Level.DEBUG, "closing a silent connection", e);
        }
    }

    /** As {@link InputStream#read(byte[])}, but fails when the sender has been silent for too long. */
    int read(byte[] buffer) throws IOException {
        try {
            int read = stream.read(buffer);
            heard = System.nanoTime();
            if (read < 0 && barked) {
                throw silent();
            }
            return read;
        } catch (IOException e) {
            throw barked ? silent() : e;
        }
    }

    private IOException silent() {
        return new SocketTimeoutException("no byte came for %d s".formatted(Math.max(1, stall.toSeconds())));
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
