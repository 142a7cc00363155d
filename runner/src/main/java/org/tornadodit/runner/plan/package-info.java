/** A sampling run before it begins: what it computes, needs and keeps, and how it goes on from where another ended. */
@NullMarked
package org.tornadodit.runner.plan;

import org.jspecify.annotations.NullMarked;
