/** Closed sets of choices. */
package uk.ac.manchester.tornado.api.enums;
