/** Stubs: the members of TornadoVM's classes that tornado-ptx uses. */
@NullMarked
package uk.ac.manchester.tornado.api;

import org.jspecify.annotations.NullMarked;
