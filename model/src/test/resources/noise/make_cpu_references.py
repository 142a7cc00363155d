"""Makes cpu-calls.npy beside it: torch.randn on the CPU, calls of several sizes one after another, joined.

cpu0.npy to cpu2.npy and cuda0.npy to cuda2.npy were read on PyTorch 2.11.0+cu130 (H200; x86-64 with AVX): after
torch.manual_seed(0), the first 64 values of three successive torch.randn(8, 4, 64, 64).
"""
import pathlib

import numpy as np
import torch

SIZES = (3, 16, 17, 5, 100, 1, 31, 2, 640, 4)

if __name__ == "__main__":
    torch.manual_seed(-123456789012)
    calls = [torch.randn(size).numpy() for size in SIZES]
    np.save(pathlib.Path(__file__).parent / "cpu-calls.npy", np.concatenate(calls))
