/**
 * Many pictures in a folder, made by any number of workers: {@code dit bulk}. A picture depends on the seed and its number
 * alone; what is there and whole is not made again.
 */
@NullMarked
package org.tornadodit.runner.bulk;

import org.jspecify.annotations.NullMarked;
