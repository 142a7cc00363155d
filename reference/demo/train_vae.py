# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Trains the demo's autoencoder and writes it as a diffusers folder, float16.

    python3 reference/demo/train_vae.py --images images.npz --seconds 120 --out demo/vae
"""
import argparse
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from files import save_grid, save_json, save_safetensors  # noqa: E402
from vae import AutoencoderKL  # noqa: E402

import pictures  # noqa: E402
from training import Training  # noqa: E402


def gradients(images):
    """Differences of neighbouring pixels, at full and at half size."""
    half = torch.nn.functional.avg_pool2d(images, 2)
    return [d for x in (images, half) for d in (x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :])]


def make_losses(vae, drawings, batch, kl_weight):
    def losses():
        index = torch.randint(len(drawings), (batch,), device=drawings.device)
        with torch.no_grad():
            images = pictures.augmented(drawings, index)
        mean, log_variance = (x.float() for x in vae.encode(images))
        latents = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        # A decoder that bears noise: what the transformer samples is never exactly a latent of the encoder.
        latents = latents + 0.06 * torch.rand(batch, 1, 1, 1, device=mean.device) * torch.randn_like(mean)
        decoded = vae.decode(latents).float()
        pixels = (decoded - images).abs().mean()
        square = (decoded - images).square().mean()
        edges = sum((a - b).abs().mean() for a, b in zip(gradients(decoded), gradients(images)))
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        return {"loss": pixels + square + 0.5 * edges + kl_weight * kl, "l1": pixels, "mse": square, "edges": edges,
                "kl": kl}
    return losses


@torch.no_grad()
def standardize(vae, drawings):
    """Folds each latent channel's mean and spread into quant_conv and post_quant_conv.

    Afterwards every channel has mean 0 and the same spread, 1 / scaling_factor.
    """
    index = torch.arange(2048, device=drawings.device) % len(drawings)
    latents = torch.cat([vae.encode(pictures.augmented(drawings, part))[0] for part in index.split(256)])
    mean, spread = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    common = spread.mean()
    channels = len(mean)
    quant, post = vae.quant_conv, vae.post_quant_conv
    gain = common / spread
    quant.weight[:channels] *= gain[:, None, None, None]
    quant.bias[:channels] = (quant.bias[:channels] - mean) * gain
    quant.bias[channels:] += 2 * gain.log()  # the log variance scales along
    post.bias += (post.weight[:, :, 0, 0] * mean[None]).sum(1)
    post.weight /= gain[None, :, None, None]
    vae.config["scaling_factor"] = round(float(1 / common), 5)
    print(f"vae: latent means {mean.tolist()}, spreads {spread.tolist()}", flush=True)


def save_folder(vae, out, dtype=torch.float16):
    out = pathlib.Path(out)
    save_json(out / "config.json", vae.config)
    save_safetensors({n: p.to(dtype) for n, p in vae.state_dict().items()},
                     out / "diffusion_pytorch_model.safetensors", {"format": "pt"})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--kl-weight", type=float, default=1e-4)
    parser.add_argument("--channels", default="32,64,96,96")
    parser.add_argument("--out", default="demo/vae")
    parser.add_argument("--preview", help="PNG of pictures and their reconstructions")
    parser.add_argument("--device", default="cuda")
    args = parser.parse_args()
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    drawings = pictures.load(args.images, args.device)
    vae = AutoencoderKL(block_out_channels=[int(c) for c in args.channels.split(",")], layers_per_block=1,
                        norm_num_groups=32, sample_size=128).to(args.device)

    def save(average):
        finished = AutoencoderKL(**{k: v for k, v in vae.config.items() if not k.startswith("_")}).to(args.device)
        finished.load_state_dict(average.state_dict())
        standardize(finished, drawings)
        save_folder(finished, args.out)
        return finished

    training = Training(vae, make_losses(vae, drawings, args.batch, args.kl_weight), args.rate, average_decay=0.999)
    result = training.run(args.seconds, "vae", save)
    finished = save(training.average)
    with torch.no_grad():
        images = pictures.augmented(drawings, torch.arange(len(drawings), device=args.device))
        decoded = torch.cat([finished.decode(finished.encode(part)[0]) for part in images.split(64)]).clamp(-1, 1)
        psnr = -10 * torch.log10(((decoded - images) / 2).square().mean(dim=(1, 2, 3)))
    result.update(psnr_mean=float(psnr.mean()), psnr_worst=float(psnr.min()),
                  scaling_factor=finished.scaling_factor)
    print(f"vae: reconstruction PSNR mean {psnr.mean():.2f} dB, worst {psnr.min():.2f} dB, {result}", flush=True)
    if args.preview:
        pairs = torch.stack([images, decoded], dim=1).flatten(0, 1)[:48]
        save_grid(pairs, args.preview)
    save_json(pathlib.Path(args.out) / "training.json", {
        **{n: v for n, v in vars(args).items() if n not in ("images", "vae", "out", "preview")},
        **result, "torch": torch.__version__})


if __name__ == "__main__":
    main()
