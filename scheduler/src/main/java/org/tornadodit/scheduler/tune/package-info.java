/**
 * The autotuner: checks and times the variants of kernels on a device, and keeps what it chose.
 */
@NullMarked
package org.tornadodit.scheduler.tune;

import org.jspecify.annotations.NullMarked;
