package org.tornadodit.kernels.ptx;

import java.lang.foreign.MemorySegment;

/** Host memory that the driver keeps in place. Implemented by the module tornado-ptx. */
public interface PinnedPages {

    /**
     * Pins whole pages for good, for all devices' contexts. Where the driver cannot, as on a thread that has no context,
     * nothing happens.
     */
    void pin(MemorySegment pages);

    /** What is on the class path; without tornado-ptx nothing is pinned. */
    static PinnedPages onClassPath() {
        return Found.PAGES;
    }

    /** Looked for once. */
    final class Found {
        private static final PinnedPages PAGES =
                PtxService.find(PinnedPages.class).orElse(pages -> {});

        private Found() {}
    }
}
