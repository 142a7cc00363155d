package org.tornadodit.model.metrics;

/**
 * The challenge's points for the average sampling time of a batch of eight images: logarithmic between a time that earns
 * nothing and one that earns all.
 *
 * <p>The challenge's own table of examples does not follow its formula (it says 39.44 for 150 s, where the formula gives
 * 31.55); the formula counts.
 */
public enum Score {
    /** The published rules: {@code 50 ln(300 / T) / ln 3}. */
    STRICT(300, 100, 50),
    /** The final public rules: {@code 100 ln(360 / T) / ln 6}. */
    FINAL(360, 60, 100);

    private final double zeroSeconds;
    private final double fullSeconds;
    private final double fullPoints;

    Score(double zeroSeconds, double fullSeconds, double fullPoints) {
        this.zeroSeconds = zeroSeconds;
        this.fullSeconds = fullSeconds;
        this.fullPoints = fullPoints;
    }

    /** Seconds from which on there are no points. */
    public double zeroSeconds() {
        return zeroSeconds;
    }

    /** Seconds that earn all points. */
    public double fullSeconds() {
        return fullSeconds;
    }

    /** Most points. */
    public double fullPoints() {
        return fullPoints;
    }

    /**
     * The points for a time.
     *
     * @param seconds T, average sampling time
     * @throws IllegalArgumentException when the time is not positive
     */
    public double points(double seconds) {
        if (!(seconds > 0)) {
            throw new IllegalArgumentException("sampling time of %s seconds: expected more than 0".formatted(seconds));
        }
        if (seconds >= zeroSeconds) {
            return 0;
        }
        return seconds <= fullSeconds
                ? fullPoints
                : fullPoints * Math.log(zeroSeconds / seconds) / Math.log(zeroSeconds / fullSeconds);
    }
}
