/** An engine's face: what is asked of it, what it tells, how it is set up, and what goes wrong. */
@NullMarked
package org.tornadodit.scheduler.engine;

import org.jspecify.annotations.NullMarked;
