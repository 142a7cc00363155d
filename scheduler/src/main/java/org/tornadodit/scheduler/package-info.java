/** Engines that run a model: on the CPU, and on GPUs through TornadoVM's task graphs. */
@NullMarked
package org.tornadodit.scheduler;

import org.jspecify.annotations.NullMarked;
