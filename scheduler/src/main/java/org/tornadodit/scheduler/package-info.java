/**
 * The TornadoVM engine, in rooms from the ground up: {@code device} (GPUs, their memory and failures), {@code engine} (what
 * a caller sees: requests, states, options, errors), {@code plan} (who computes what: pure arithmetic), {@code graph} (the
 * forward pass as task graphs), {@code tune} (which variant of a kernel is fastest) and {@code run} (the engines themselves).
 */
@NullMarked
package org.tornadodit.scheduler;

import org.jspecify.annotations.NullMarked;
