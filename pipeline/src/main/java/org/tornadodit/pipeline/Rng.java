package org.tornadodit.pipeline;

import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.noise.TorchRandn;

/** Whose random numbers: those of PyTorch on a GPU, or on the CPU. Any engine draws either. */
public enum Rng {
    /** {@code torch.randn(..., device="cuda")}. */
    CUDA,
    /** {@code torch.randn(..., device="cpu")}. */
    CPU;

    /** The numbers after {@code torch.manual_seed(seed)}; a negative seed is the 64-bit word with the same bits. */
    public NoiseStream stream(long seed) {
        return this == CUDA ? TorchRandn.cuda(seed) : TorchRandn.cpu(seed);
    }
}
