/** Files as such: mapped or written atomically, JSON, ZIP indexes, saved states, and how a file is refused. */
@NullMarked
package org.tornadodit.model.io.file;

import org.jspecify.annotations.NullMarked;
