# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Samples the demo model with PyTorch in strict float32: reference/data/demo, and sheets to look at.

    python3 reference/demo/make_demo_references.py --demo demo --out reference/data/demo [--sheets FOLDER]
"""
import argparse
import json
import pathlib
import sys
import time

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from diffusion import sample_labels  # noqa: E402
from dit import DiT, strict_float32, tensor_float32  # noqa: E402
from files import manifest, save_grid, save_npy  # noqa: E402

from train_dit import load_vae  # noqa: E402


def load_demo(folder, device):
    folder = pathlib.Path(folder)
    model = DiT(**json.loads((folder / "config.json").read_text()))
    state = torch.load(folder / "dit.pt", map_location="cpu")
    model.load_state_dict({n: t.float() for n, t in state.items()})
    labels = json.loads((folder / "labels.json").read_text())
    return model.to(device).eval().requires_grad_(False), load_vae(folder / "vae", device), labels


@torch.no_grad()
def sample(model, vae, labels, steps, device, seed=0, cfg_scale=4.0):
    noise, latents = sample_labels(model, labels, model.config["input_size"], str(steps), seed, cfg_scale,
                                   device=device)
    return latents, vae.decode(latents / vae.scaling_factor)


def comparison(baseline_png, candidate_png):
    """MAE, PSNR and SSIM of two PNGs."""
    from PIL import Image
    a, b = (np.asarray(Image.open(p).convert("RGB")) for p in (baseline_png, candidate_png))
    result = {"mae": float(np.abs(a.astype(int) - b.astype(int)).mean())}
    square = float(((a.astype(float) - b.astype(float)) ** 2).mean())
    result["psnr"] = float(10 * np.log10(255**2 / square)) if square else "inf"
    try:
        from torchmetrics.functional.image import structural_similarity_index_measure
        one, two = (torch.from_numpy(x.copy()).permute(2, 0, 1)[None].float() / 255 for x in (a, b))
        result["ssim"] = float(structural_similarity_index_measure(one, two))
    except ImportError:
        pass
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", default="demo")
    parser.add_argument("--out", default="reference/data/demo")
    parser.add_argument("--sheets", help="folder for pictures to look at: every class, several guidance scales")
    parser.add_argument("--steps", default="250,50")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    model, vae, labels = load_demo(args.demo, args.device)
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    favourites, entries = labels["favourites"], {}
    for steps in args.steps.split(","):
        strict_float32()
        start = time.time()
        latents, images = sample(model, vae, favourites, steps, args.device)
        save_grid(images, out / f"steps-{steps}.png")
        save_npy(out / f"steps-{steps}.latents.npy", latents)
        seconds = time.time() - start
        tensor_float32()
        other_latents, other = sample(model, vae, favourites, steps, args.device)
        other_png = out / "tf32.png"
        save_grid(other, other_png)
        entries[steps] = {"tf32_against_strict": comparison(out / f"steps-{steps}.png", other_png),
                          "tf32_latents_relative": float((other_latents - latents).norm() / latents.norm()),
                          "latents_std": float(latents.std()), "seconds": seconds}
        other_png.unlink()
        print(steps, entries[steps], flush=True)
    strict_float32()
    manifest(out, "reference/demo/make_demo_references.py", args.device, seed=0, cfg_scale=4.0, cfg_channels="3",
             sampler="ddpm", labels=favourites, names=[labels["names"][i] for i in favourites], rng="cuda",
             precision="float32, no TF32, explicit attention, weights upcast from the stored float16", runs=entries)
    if args.sheets:
        sheets = pathlib.Path(args.sheets)
        sheets.mkdir(parents=True, exist_ok=True)
        everything = list(range(len(labels["names"])))
        for scale in (1.0, 1.5, 4.0):
            _, images = sample(model, vae, everything, 50, args.device, seed=1, cfg_scale=scale)
            from torchvision.utils import save_image
            save_image(images, str(sheets / f"cfg-{scale}.png"), nrow=10, normalize=True, value_range=(-1, 1))


if __name__ == "__main__":
    main()
