/**
 * The Java API: {@link org.tornadodit.pipeline.DitPipeline} loads a model and samples pictures with it.
 *
 * <pre>{@code
 * try (DitPipeline dit = DitPipeline.load(checkpoint, vae).devices("auto").precision(HIGHEST).maxBatch(8).open()) {
 *     List<Picture> pictures = dit.sample(Request.of(207, 360).steps(250).guidance(4).seed(0), progress -> {});
 * }
 * }</pre>
 *
 * <p>Errors are unchecked and of one line: {@link java.lang.IllegalArgumentException} for what is asked,
 * {@link java.util.concurrent.CancellationException} for what was cancelled, and
 * {@link org.tornadodit.pipeline.PipelineException} for files, devices and memory.
 */
@NullMarked
package org.tornadodit.pipeline;

import org.jspecify.annotations.NullMarked;
