/** Serves a {@link org.tornadodit.pipeline.DitPipeline} over HTTP, with OpenAI's images API and a page. */
@NullMarked
package org.tornadodit.serve;

import org.jspecify.annotations.NullMarked;
