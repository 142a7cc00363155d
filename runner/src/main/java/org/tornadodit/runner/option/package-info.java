/** Options that commands share, and the models, classes and devices that they name. */
@NullMarked
package org.tornadodit.runner.option;

import org.jspecify.annotations.NullMarked;
