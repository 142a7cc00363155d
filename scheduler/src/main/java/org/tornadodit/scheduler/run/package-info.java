/**
 * The engines: {@code CpuEngine} calls the model's CPU code, {@code TornadoEngine} runs task graphs on one device,
 * {@code ShardedEngine} divides batches over several and outlives their failures. {@code SharedPass} has samples of several
 * threads' batches share passes of the model.
 */
@NullMarked
package org.tornadodit.scheduler.run;

import org.jspecify.annotations.NullMarked;
