package org.tornadodit.runner.terminal;

import java.util.ArrayDeque;
import java.util.Deque;

/** Steps a second of the last steps: a first step that warms up, or a device that is lost, is soon forgotten. */
final class RecentRate {
    /** The rate is that of so many steps, or of so many seconds where they hold more. */
    private static final int STEPS = 8;

    private static final double SECONDS = 5;

    /** When a number of steps was done. */
    private record Point(int done, double seconds) {}

    private final Deque<Point> points = new ArrayDeque<>();

    /** @param done steps at the start, which took no time of this run */
    RecentRate(int done) {
        points.add(new Point(done, 0));
    }

    /** @param seconds since the start */
    void add(int done, double seconds) {
        points.add(new Point(done, seconds));
        while (points.size() > 2 && isOld(second(), done, seconds)) {
            points.removeFirst();
        }
    }

    private static boolean isOld(Point point, int done, double seconds) {
        return point.done() <= done - STEPS && point.seconds() <= seconds - SECONDS;
    }

    private Point second() {
        Point first = points.removeFirst();
        Point second = points.getFirst();
        points.addFirst(first);
        return second;
    }

    /** Steps a second; 0 before the first step. */
    double perSecond() {
        Point first = points.getFirst();
        Point last = points.getLast();
        double seconds = last.seconds() - first.seconds();
        return last.done() > first.done() && seconds > 0 ? (last.done() - first.done()) / seconds : 0;
    }
}
