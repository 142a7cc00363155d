/**
 * Runs task graphs on this machine's cores: devices with a memory of their own, work groups with barriers and local
 * memory, and errors where a GPU would compute with old or undefined values.
 */
@NullMarked
package org.tornadodit.host;

import org.jspecify.annotations.NullMarked;
