# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Trains the demo's transformer on latents of the demo's autoencoder and writes dit.pt and config.json.

    python3 reference/demo/train_dit.py --images images.npz --vae demo/vae --seconds 300 --out demo

The loss is the hybrid one of Nichol and Dhariwal (arXiv:2102.09672): the squared error of the predicted noise, and
the variational bound, which moves the variance only.
"""
import argparse
import json
import math
import pathlib
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from diffusion import Diffusion  # noqa: E402
from dit import DiT  # noqa: E402
from files import load_safetensors, save_json  # noqa: E402
from vae import AutoencoderKL  # noqa: E402

import pictures  # noqa: E402
from training import Training  # noqa: E402


def load_vae(folder, device):
    """A diffusers AutoencoderKL folder, float32 whatever it was stored in."""
    config = json.loads((pathlib.Path(folder) / "config.json").read_text())
    vae = AutoencoderKL(**{k: v for k, v in config.items() if not k.startswith("_")})
    tensors = load_safetensors(pathlib.Path(folder) / "diffusion_pytorch_model.safetensors")
    vae.load_state_dict({n: t.float() for n, t in tensors.items()})
    return vae.to(device).eval().requires_grad_(False)


@torch.no_grad()
def latent_pool(vae, drawings, per_class):
    """(K, per_class, 4, S, S) scaled latents of augmented pictures."""
    pool = []
    for label in range(len(drawings)):
        index = torch.full((per_class,), label, device=drawings.device)
        parts = [vae.encode(pictures.augmented(drawings, part))[0] for part in index.split(256)]
        pool.append(torch.cat(parts) * vae.scaling_factor)
    return torch.stack(pool)


def compiled(model, losses_of):
    """Losses through torch.compile where that works here, else through the model as it is."""
    if next(model.parameters()).is_cuda:
        try:
            losses = losses_of(torch.compile(model, dynamic=False))
            with torch.autocast("cuda", dtype=torch.bfloat16):
                losses()["loss"].backward()
            torch.cuda.synchronize()
            return losses
        except Exception as problem:  # whatever the compiler trips over: training goes on, slower
            print(f"dit: not compiled ({str(problem)[:300]})", flush=True)
    return losses_of(model)


def make_losses(model, pool, batch, label_dropout):
    device, (classes, per_class) = pool.device, pool.shape[:2]
    process = Diffusion("1000")
    tables = {n: torch.from_numpy(v).float().to(device) for n, v in process.tables().items() if n != "timestep_map"}

    def at(name, t):
        return tables[name][t][:, None, None, None]

    def losses():
        y = torch.randint(classes, (batch,), device=device)
        x_start = pool[y, torch.randint(per_class, (batch,), device=device)]
        t = torch.randint(1000, (batch,), device=device)
        noise = torch.randn_like(x_start)
        alpha = at("alphas_cumprod", t)
        x_t = alpha.sqrt() * x_start + (1 - alpha).sqrt() * noise
        y = y.masked_fill(torch.rand(batch, device=device) < label_dropout, classes)
        eps, fraction = model(x_t, t, y).float().chunk(2, dim=1)
        mse = (eps - noise).square().mean()
        # The bound's KL for t > 0, in bits; the last step adds no noise, so its variance is left alone.
        fraction = (fraction + 1) / 2
        low, high = at("posterior_log_variance_clipped", t), at("log_betas", t)
        log_variance = fraction * high + (1 - fraction) * low
        predicted = at("sqrt_recip_alphas_cumprod", t) * x_t - at("sqrt_recipm1_alphas_cumprod", t) * eps.detach()
        difference = at("posterior_mean_coef1", t) * (x_start - predicted)
        kl = 0.5 * (-1 + log_variance - low + (low - log_variance).exp() + difference.square() * (-log_variance).exp())
        bound = (kl.mean(dim=(1, 2, 3)) * (t > 0)).mean() / math.log(2.0)
        return {"loss": mse + bound, "mse": mse, "vb": bound}
    return losses


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True)
    parser.add_argument("--vae", default="demo/vae")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--label-dropout", type=float, default=0.15)
    parser.add_argument("--per-class", type=int, default=1024)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--out", default="demo")
    parser.add_argument("--device", default="cuda")
    args = parser.parse_args()
    begin = time.time()
    torch.manual_seed(2)
    drawings = pictures.load(args.images, args.device)
    vae = load_vae(args.vae, args.device)
    pool = latent_pool(vae, drawings, args.per_class)
    print(f"dit: pool {tuple(pool.shape)}, mean {pool.mean():.4f}, spread {pool.std():.4f}", flush=True)
    model = DiT(input_size=16, patch_size=2, in_channels=4, hidden_size=288, depth=args.depth, num_heads=4,
                mlp_ratio=4.0, num_classes=len(drawings), learn_sigma=True).to(args.device)
    model.fuse_attention(hasattr(torch.nn.functional, "scaled_dot_product_attention"))
    out = pathlib.Path(args.out)

    def save(average):
        torch.save({n: p.half().cpu() for n, p in average.state_dict().items()}, out / "dit.pt.part")
        (out / "dit.pt.part").replace(out / "dit.pt")
        save_json(out / "config.json", model.config)

    losses = compiled(model, lambda network: make_losses(network, pool, args.batch, args.label_dropout))
    print(f"dit: ready after {time.time() - begin:.1f} s", flush=True)
    training = Training(model, losses, args.rate, average_decay=0.9995)
    # What loading, encoding and compiling took is part of the time given.
    result = training.run(args.seconds - (time.time() - begin), "dit", save)
    save_json(out / "training.json", {
        **{n: v for n, v in vars(args).items() if n not in ("images", "vae", "out", "preview")},
        **result, "torch": torch.__version__})


if __name__ == "__main__":
    main()
