package uk.ac.manchester.tornado.api.enums;

/** Code generators. tornado-host has {@link #JAVA} only. */
public enum TornadoVMBackendType {
    OPENCL,
    METAL,
    PTX,
    CUDA,
    SPIRV,
    JAVA,
    VIRTUAL
}
