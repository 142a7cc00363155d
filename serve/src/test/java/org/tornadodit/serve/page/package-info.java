/** The page in a real browser. */
@NullMarked
package org.tornadodit.serve.page;

import org.jspecify.annotations.NullMarked;
