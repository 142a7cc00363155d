/** Devices that TornadoVM sees: their memory, their failures, and the arrays, graphs and plans that live on them. */
@NullMarked
package org.tornadodit.scheduler.device;

import org.jspecify.annotations.NullMarked;
