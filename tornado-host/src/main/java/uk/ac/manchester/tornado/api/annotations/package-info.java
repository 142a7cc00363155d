/** Marks of parallel loops. */
package uk.ac.manchester.tornado.api.annotations;
