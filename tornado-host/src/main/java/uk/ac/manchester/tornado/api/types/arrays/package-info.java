/** Arrays in native memory that task graphs copy between host and device. */
package uk.ac.manchester.tornado.api.types.arrays;
