/** Published weights: where they are, how they are fetched, and where on this machine they are found again. */
@NullMarked
package org.tornadodit.runner.download;

import org.jspecify.annotations.NullMarked;
