/** NumPy's {@code .npy} and {@code .npz}. */
@NullMarked
package org.tornadodit.model.io.numpy;

import org.jspecify.annotations.NullMarked;
