/** Tensors as files hold them: types, strides, bytes. */
@NullMarked
package org.tornadodit.model.io.tensor;

import org.jspecify.annotations.NullMarked;
