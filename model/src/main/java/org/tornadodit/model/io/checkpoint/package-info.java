/** Checkpoints of models: PyTorch, safetensors, diffusers folders, in one or several files. */
@NullMarked
package org.tornadodit.model.io.checkpoint;

import org.jspecify.annotations.NullMarked;
