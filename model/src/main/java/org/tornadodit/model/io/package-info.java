/** Checkpoint and array files: PyTorch, safetensors, diffusers folders, NumPy. Nothing in a file is ever executed. */
@NullMarked
package org.tornadodit.model.io;

import org.jspecify.annotations.NullMarked;
