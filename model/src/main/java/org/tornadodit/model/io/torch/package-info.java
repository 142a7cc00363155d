/** Files of torch.save, both formats. Pickles are read by an allow-list; nothing in a file is ever executed. */
@NullMarked
package org.tornadodit.model.io.torch;

import org.jspecify.annotations.NullMarked;
