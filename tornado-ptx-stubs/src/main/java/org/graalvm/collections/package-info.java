/** Stub: a type in a signature of Graal's, whose own jar is not needed for anything else. */
@NullMarked
package org.graalvm.collections;

import org.jspecify.annotations.NullMarked;
