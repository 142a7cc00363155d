/** The process and its terminal: progress, error lines, exit codes, signals, environment. */
@NullMarked
package org.tornadodit.runner.terminal;

import org.jspecify.annotations.NullMarked;
