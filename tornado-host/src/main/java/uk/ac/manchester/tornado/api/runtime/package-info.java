/** The way to the runtime. */
package uk.ac.manchester.tornado.api.runtime;
