/** Number types. */
package uk.ac.manchester.tornado.api.types;
