package org.tornadodit.scheduler.tune;

import org.tornadodit.kernels.Variant;

/**
 * What became of one variant of an operation.
 *
 * @param reason in words, for one that was not timed; empty else
 * @param timing NaN throughout for one that was not timed
 */
public record TriedVariant(Variant variant, Verdict verdict, String reason, Timing timing) {

    /** How a variant's check ended. */
    public enum Verdict {
        /** Right, and timed. */
        TIMED,
        /** Its output is not what the reference says. */
        WRONG,
        /** Right within the bound, but not bit for bit as the default: pictures would depend on the tuning. */
        OTHER_BITS,
        /** It does not compile or run. */
        FAILED
    }

    static TriedVariant refused(Variant variant, Verdict verdict, String reason) {
        return new TriedVariant(variant, verdict, reason, Timing.NONE);
    }

    /** Whether the variant may be chosen. */
    public boolean isTimed() {
        return verdict == Verdict.TIMED;
    }
}
