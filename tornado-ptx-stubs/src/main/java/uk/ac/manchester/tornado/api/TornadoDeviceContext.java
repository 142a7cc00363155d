package uk.ac.manchester.tornado.api;

/** What belongs to a device. */
public interface TornadoDeviceContext {}
