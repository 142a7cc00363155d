/** Programs that use the Java API, on the model in the repository: {@code demo/} is their first argument. */
@NullMarked
package org.tornadodit.examples;

import org.jspecify.annotations.NullMarked;
