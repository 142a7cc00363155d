/**
 * What the Java API and the command line share beneath their faces: which devices, whether a run fits, the weights and their
 * tuning, and the engine made of them. Applications need none of it.
 */
@NullMarked
package org.tornadodit.pipeline.setup;

import org.jspecify.annotations.NullMarked;
