/**
 * The engines: {@code CpuEngine} calls the model's CPU code, {@code TornadoEngine} runs task graphs on one device,
 * {@code ShardedEngine} divides a batch over several and outlives their failures.
 */
@NullMarked
package org.tornadodit.scheduler.run;

import org.jspecify.annotations.NullMarked;
