/** Who computes what: parts of a model, shards of a batch. Pure arithmetic, without devices. */
@NullMarked
package org.tornadodit.scheduler.plan;

import org.jspecify.annotations.NullMarked;
