/** Commands that sample and serve, and those about devices, weights and the command line itself. */
@NullMarked
package org.tornadodit.runner.command;

import org.jspecify.annotations.NullMarked;
