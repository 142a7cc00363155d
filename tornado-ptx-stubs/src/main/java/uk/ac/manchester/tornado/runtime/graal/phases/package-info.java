/** Stubs: the members of TornadoVM's classes that tornado-ptx uses. */
@NullMarked
package uk.ac.manchester.tornado.runtime.graal.phases;

import org.jspecify.annotations.NullMarked;
