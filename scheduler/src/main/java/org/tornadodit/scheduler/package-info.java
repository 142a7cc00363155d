/**
 * Engines that run a model. {@link org.tornadodit.scheduler.CpuEngine} calls the model's CPU code;
 * {@link org.tornadodit.scheduler.TornadoEngine} runs task graphs ({@code DitGraphs}, {@code VaeGraphs}) on a GPU, whose
 * tasks come from the kernels of one tier ({@code Operations}).
 */
@NullMarked
package org.tornadodit.scheduler;

import org.jspecify.annotations.NullMarked;
