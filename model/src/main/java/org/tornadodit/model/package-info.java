/** Types shared by all of the model: shapes and tensors. */
@NullMarked
package org.tornadodit.model;

import org.jspecify.annotations.NullMarked;
