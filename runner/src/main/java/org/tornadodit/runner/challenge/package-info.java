/** Commands that compare pictures and rate runs as the challenge does. */
@NullMarked
package org.tornadodit.runner.challenge;

import org.jspecify.annotations.NullMarked;
