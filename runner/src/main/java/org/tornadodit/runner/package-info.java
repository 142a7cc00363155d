/** The command line: options, progress, the files it writes, exit codes. */
@NullMarked
package org.tornadodit.runner;

import org.jspecify.annotations.NullMarked;
