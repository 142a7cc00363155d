/**
 * What code outside the emulator may know of it: where a kernel's code runs as a work item, what a group of them shares, and
 * devices that are no hardware.
 */
@NullMarked
package org.tornadodit.virtual;

import org.jspecify.annotations.NullMarked;
