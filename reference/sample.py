# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Images from what make_xl2.py has written, as a program of its own: import, read, sample, decode, write.

    python3 reference/sample.py FOLDER --precision tf32 --steps 250 --output picture.png

Prints the seconds from the beginning of Python to the first step. bench/compare.py --starts puts the whole process beside
the whole ./dit sample.
"""
import time

BEGUN = time.perf_counter()

import argparse
import json
import pathlib

import torch

from diffusion import sample_labels
from dit import strict_float32, variant
from files import load_safetensors, save_grid
from make_xl2 import LABELS, PRECISIONS, precision_of
from vae import AutoencoderKL


def load(args):
    with torch.device(args.device):
        model = variant(args.model, input_size=args.image_size // 8, num_classes=1000)
        config = json.loads((args.folder / "vae" / "config.json").read_text())
        vae = AutoencoderKL(**{key: config[key] for key in (
            "block_out_channels", "layers_per_block", "norm_num_groups", "sample_size")})
    model.load_state_dict(torch.load(args.folder / "dit.pt", map_location=args.device, mmap=True, weights_only=True))
    tensors = load_safetensors(args.folder / "vae" / "diffusion_pytorch_model.safetensors")
    vae.load_state_dict({name: torch.as_tensor(value).to(args.device) for name, value in tensors.items()})
    model.fuse_attention(True)
    # Tables made of NumPy's arrays are no part of the checkpoint, and not on the device.
    return (module.to(args.device).eval().requires_grad_(False) for module in (model, vae))


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--precision", choices=PRECISIONS, default="strict")
    parser.add_argument("--model", default="DiT-XL/2")
    parser.add_argument("--image-size", type=int, default=512)
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--steps", default="250")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    strict_float32()
    model, vae = load(args)
    if args.device.startswith("cuda"):
        torch.cuda.synchronize()
    print(f"ready after {time.perf_counter() - BEGUN:.3f} s", flush=True)
    with precision_of(args.precision, model):
        _, latents = sample_labels(model, LABELS[:args.images], args.image_size // 8, args.steps, args.seed,
                                   device=args.device)
        images = vae.decode(latents / vae.scaling_factor)
    save_grid(images.float(), args.output)


if __name__ == "__main__":
    main()
