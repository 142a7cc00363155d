/**
 * The forward pass as task graphs: {@code DitGraphs} and {@code VaeGraphs} say what is computed, {@code Operations} and
 * {@code DecoderOperations} with which kernels, {@code DitBuffers} and {@code VaeBuffers} in which arrays.
 * {@code Count} walks them without a device: FLOPs, bytes, memory, what can be tuned.
 */
@NullMarked
package org.tornadodit.scheduler.graph;

import org.jspecify.annotations.NullMarked;
