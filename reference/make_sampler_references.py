# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Makes data/sampling/dpm++-{3,all,unguided}: the tiny model of data/sampling, sampled by DPM-Solver++ (2M).

    python3 reference/make_sampler_references.py --out reference/data [--device cuda]

It starts from the noise of data/sampling/ddpm-3, so that a GPU is not needed. Where diffusers is installed, its
DPMSolverMultistepScheduler makes the latents, and the manifest has their distance to dpm_solver.py; else dpm_solver.py
makes them. Both are compared with the same run in float64, model and solver.
"""
import argparse
import copy
import importlib.util
import pathlib

import numpy as np
import torch

from diffusion import TRAIN_STEPS
from dit import strict_float32
from dpm_solver import DpmSolver
from files import manifest, save_grid, save_npy
from make_references import distance, sampling_model, tiny_vae

PROGRAM = "reference/make_sampler_references.py"
LABELS = [0, 1, 2, 3, 4, 5, 0, 1]
STEPS = 10


def predictor(model, labels, channels):
    """epsilon for N samples, guided at scale 4 as forward_with_cfg does; the variance's channels are left out."""
    n, c = len(labels), model.in_channels
    y = torch.tensor(labels, device=next(model.parameters()).device)
    both = torch.cat([y, torch.full_like(y, model.num_classes)])

    def predict(x, t):
        if channels == "unguided":
            return model(x, t, y)[:, :c]
        return model.forward_with_cfg(torch.cat([x, x]), torch.cat([t, t]), both, 4.0, channels)[:n, :c]

    return predict


def diffusers_sample(predict, x, each_step):
    from diffusers import DPMSolverMultistepScheduler

    scheduler = DPMSolverMultistepScheduler(num_train_timesteps=TRAIN_STEPS, beta_start=0.0001, beta_end=0.02,
                                            beta_schedule="linear", prediction_type="epsilon")
    scheduler.set_timesteps(STEPS, device=x.device)
    assert np.array_equal(scheduler.timesteps.cpu().numpy(), DpmSolver(STEPS).timesteps), scheduler.timesteps
    with torch.no_grad():
        for k, t in enumerate(scheduler.timesteps):
            x = scheduler.step(predict(x, t.expand(len(x))), t, x).prev_sample
            each_step(k, x)
    return x


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    strict_float32()
    base = args.out / "sampling"
    model = sampling_model()
    model.load_state_dict(torch.load(base / "checkpoint.pt", map_location="cpu", weights_only=True))
    model.to(args.device).eval()
    exact_model = copy.deepcopy(model).double()
    vae = tiny_vae().to(args.device)
    noise = torch.from_numpy(np.load(base / "ddpm-3" / "noise.npy")).to(args.device)
    has_diffusers = importlib.util.find_spec("diffusers") is not None
    for channels in ("3", "all", "unguided"):
        steps, own_steps, folder = [], [], base / f"dpm++-{channels}"
        folder.mkdir(parents=True, exist_ok=True)
        predict = predictor(model, LABELS, channels)
        latents = own = DpmSolver(STEPS).sample(predict, noise, lambda k, x: own_steps.append(x.clone()))
        steps = own_steps
        facts = dict(solver="reference/dpm_solver.py")
        if has_diffusers:
            import diffusers

            steps = []
            latents = diffusers_sample(predict, noise, lambda k, x: steps.append(x.clone()))
            facts = dict(solver="diffusers.DPMSolverMultistepScheduler", diffusers=diffusers.__version__,
                         distance_to_dpm_solver_py=distance(latents, own))
        exact = DpmSolver(STEPS).sample(predictor(exact_model, LABELS, channels), noise.double())
        with torch.no_grad():
            images = vae.decode(latents / vae.scaling_factor)
        save_npy(folder / "noise.npy", noise)
        save_npy(folder / "steps.npy", torch.stack(steps))
        save_npy(folder / "latents.npy", latents)
        save_grid(images, folder / "sample.png")
        manifest(folder, PROGRAM, args.device, seed=0, labels=LABELS,
                 cfg_scale=1.0 if channels == "unguided" else 4.0, cfg_channels=channels, sampler="dpm++",
                 steps=STEPS, vae="vae-tiny", rng="cuda", order="steps.npy[k] is x after the k-th step taken",
                 precision="float32, no TF32, explicit attention", float64_distance=distance(latents, exact),
                 latents_std=float(latents.std()), **facts)
        print(f"dpm++-{channels}: {facts}, to float64 {distance(latents, exact):.2e}", flush=True)


if __name__ == "__main__":
    main()
