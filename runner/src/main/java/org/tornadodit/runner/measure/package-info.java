/** Commands that measure: times of a run, variants of kernels, hours of sampling. */
@NullMarked
package org.tornadodit.runner.measure;

import org.jspecify.annotations.NullMarked;
