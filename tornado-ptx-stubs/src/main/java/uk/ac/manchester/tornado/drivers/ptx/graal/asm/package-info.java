/** Stubs: the members of TornadoVM's classes that tornado-ptx uses. */
@NullMarked
package uk.ac.manchester.tornado.drivers.ptx.graal.asm;

import org.jspecify.annotations.NullMarked;
