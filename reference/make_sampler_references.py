# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Makes data/sampling/{dpm++,dpm++sde,unipc}-{3,all,unguided}: the tiny model of data/sampling, sampled by the multistep
solvers of solvers.py.

    python3 reference/make_sampler_references.py --out reference/data [--device cuda]

It starts from the noise of data/sampling/ddpm-3. DPM-Solver++ for the SDE draws in each step, as DDPM does: one torch.randn
for all that go through the model, of which the first are used; it is made on a GPU only, whose noise the others have too.
Where diffusers is installed, its DPMSolverMultistepScheduler and UniPCMultistepScheduler make the latents, and the manifest
has their distance to solvers.py; else solvers.py makes them. Both are compared with the same run in float64, model and
solver.
"""
import argparse
import copy
import importlib.util
import pathlib

import numpy as np
import torch

from dit import strict_float32
from files import manifest, save_grid, save_npy
from make_references import distance, sampling_model, tiny_vae
from solvers import TRAIN_STEPS, solver

PROGRAM = "reference/make_sampler_references.py"
LABELS = [0, 1, 2, 3, 4, 5, 0, 1]
STEPS = 10


def predictor(model, labels, channels):
    """epsilon for N samples, guided at scale 4 as forward_with_cfg does; the variance's channels are left out."""
    n, c = len(labels), model.in_channels
    y = torch.tensor(labels, device=next(model.parameters()).device)
    both = torch.cat([y, torch.full_like(y, model.num_classes)])

    @torch.no_grad()
    def predict(x, timestep):
        t = torch.full((n,), timestep, device=x.device)
        if channels == "unguided":
            return model(x, t, y)[:, :c]
        return model.forward_with_cfg(torch.cat([x, x]), torch.cat([t, t]), both, 4.0, channels)[:n, :c]

    return predict


def diffusers_sample(sampler, predict, x, draw, each_step):
    from diffusers import DPMSolverMultistepScheduler, UniPCMultistepScheduler

    schedule = dict(num_train_timesteps=TRAIN_STEPS, beta_start=0.0001, beta_end=0.02, beta_schedule="linear",
                    prediction_type="epsilon")
    if sampler == "unipc":
        scheduler = UniPCMultistepScheduler(**schedule)
    else:
        scheduler = DPMSolverMultistepScheduler(
            algorithm_type="sde-dpmsolver++" if sampler == "dpm++sde" else "dpmsolver++", **schedule)
    scheduler.set_timesteps(STEPS, device=x.device)
    assert np.array_equal(scheduler.timesteps.cpu().numpy(), solver(sampler, STEPS).timesteps), scheduler.timesteps
    for k, t in enumerate(scheduler.timesteps):
        noise = dict(variance_noise=draw(k)) if sampler == "dpm++sde" else {}
        x = scheduler.step(predict(x, int(t)), t, x, **noise).prev_sample
        each_step(k, x)
    return x


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
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
    for sampler in ("dpm++", "dpm++sde", "unipc"):
        if sampler == "dpm++sde" and not args.device.startswith("cuda"):
            print("dpm++sde: left out, its noise is a GPU's")
            continue
        for channels in ("3", "all", "unguided"):
            make(sampler, channels, args.device, base, model, exact_model, vae, noise, has_diffusers)


def make(sampler, channels, device, base, model, exact_model, vae, noise, has_diffusers):
    n = len(LABELS)
    folder = base / f"{sampler}-{channels}"
    folder.mkdir(parents=True, exist_ok=True)
    draws = None
    if sampler == "dpm++sde":
        torch.manual_seed(0)
        start = torch.randn(*noise.shape, device=device)
        assert torch.allclose(start, noise, rtol=0, atol=1e-6), "the noise is of another generator"
        passes = n if channels == "unguided" else 2 * n
        draws = [torch.randn(passes, *noise.shape[1:], device=device)[:n] for _ in range(STEPS)]
    predict = predictor(model, LABELS, channels)
    steps = []
    latents = own = solver(sampler, STEPS).sample(predict, noise, lambda k: draws[k],
                                                  lambda k, x: steps.append(x.clone()))
    facts = dict(solver="reference/solvers.py")
    if has_diffusers:
        import diffusers

        steps = []
        latents = diffusers_sample(sampler, predict, noise, lambda k: draws[k], lambda k, x: steps.append(x.clone()))
        facts = dict(solver="diffusers", diffusers=diffusers.__version__, distance_to_solvers_py=distance(latents, own))
    exact = solver(sampler, STEPS).sample(predictor(exact_model, LABELS, channels), noise.double(),
                                          lambda k: draws[k].double())
    with torch.no_grad():
        images = vae.decode(latents / vae.scaling_factor)
    save_npy(folder / "noise.npy", noise)
    save_npy(folder / "steps.npy", torch.stack(steps))
    save_npy(folder / "latents.npy", latents)
    save_grid(images, folder / "sample.png")
    manifest(folder, PROGRAM, device, seed=0, labels=LABELS, cfg_scale=1.0 if channels == "unguided" else 4.0,
             cfg_channels=channels, sampler=sampler, steps=STEPS, vae="vae-tiny", rng="cuda",
             order="steps.npy[k] is x after the k-th step taken", precision="float32, no TF32, explicit attention",
             float64_distance=distance(latents, exact), latents_std=float(latents.std()), **facts)
    print(f"{sampler}-{channels}: {facts}, to float64 {distance(latents, exact):.2e}", flush=True)


if __name__ == "__main__":
    main()
