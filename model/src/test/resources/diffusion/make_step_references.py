"""Makes the .npy files beside it: tables and single steps of the reference's diffusion package.

    python make_step_references.py PATH_TO_DIT

PATH_TO_DIT is a checkout of facebookresearch/DiT, whose `diffusion` package is imported. float32, on the CPU.
"""
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, sys.argv[1])
from diffusion import create_diffusion  # noqa: E402

HERE = pathlib.Path(__file__).parent
SHAPE = (2, 4, 3, 4)
STEPS = [
    # respacing, sampler, eta, learned sigma, indices
    ("250", "ddpm", 0.0, True, (249, 248, 100, 1, 0)),
    ("", "ddpm", 0.0, True, (999, 500, 0)),
    ("10,15,20", "ddpm", 0.0, True, (44, 9, 1)),
    ("250", "ddpm", 0.0, False, (249, 1, 0)),
    ("ddim50", "ddim", 0.0, True, (49, 20, 0)),
    ("10", "ddim", 1.0, True, (9, 5, 1, 0)),
    ("250", "ddim", 0.5, True, (249, 3, 0)),
]


def name(respacing):
    return respacing.replace(",", "-") or "all"


def main():
    generator = torch.Generator().manual_seed(20)
    x = torch.randn(SHAPE, generator=generator)
    output = torch.randn((SHAPE[0], 2 * SHAPE[1], *SHAPE[2:]), generator=generator)
    torch.manual_seed(21)
    noise = torch.randn_like(x)
    np.save(HERE / "x.npy", x.numpy())
    np.save(HERE / "model_output.npy", output.numpy())
    np.save(HERE / "noise.npy", noise.numpy())
    for respacing in ("250", "", "10,15,20", "ddim50", "10", "ddim100", "7", "3", "600", "2"):
        diffusion = create_diffusion(respacing)
        np.save(HERE / f"timesteps-{name(respacing)}.npy", np.array(diffusion.timestep_map, dtype=np.int64))
        np.save(HERE / f"tables-{name(respacing)}.npy", np.stack([diffusion.betas, diffusion.alphas_cumprod]))
    for respacing, sampler, eta, learned, indices in STEPS:
        diffusion = create_diffusion(respacing, learn_sigma=learned)
        for index in indices:
            given = output if learned else output[:, : SHAPE[1]]
            t = torch.full((SHAPE[0],), index)
            torch.manual_seed(21)
            arguments = dict(clip_denoised=False)
            if sampler == "ddim":
                step = diffusion.ddim_sample(lambda *_: given, x, t, eta=eta, **arguments)
            else:
                step = diffusion.p_sample(lambda *_: given, x, t, **arguments)
            kind = f"{sampler}{eta}" if eta else sampler
            kind += "" if learned else "-fixed"
            np.save(HERE / f"{kind}-{name(respacing)}-{index}.npy", step["sample"].numpy())


if __name__ == "__main__":
    main()
