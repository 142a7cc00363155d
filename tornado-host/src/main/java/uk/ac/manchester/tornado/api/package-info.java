/**
 * The part of TornadoVM 5.2's public API that the project uses, by the same names, run by {@code org.tornadodit.host}.
 */
package uk.ac.manchester.tornado.api;
