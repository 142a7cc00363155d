/** Devices, and the shapes of tasks' methods. */
package uk.ac.manchester.tornado.api.common;
