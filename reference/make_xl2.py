# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""A DiT-XL/2 512 checkpoint and an SD-size VAE of random weights, and what PyTorch makes of them: images and times.

    python3 reference/make_xl2.py --out FOLDER --steps 250 --precisions strict,tf32
    python3 reference/make_xl2.py --out FOLDER --model DiT-S/8 --image-size 128 --steps 4 --vae-channels 32,32,32,32

The published weights need not be at hand: arithmetic, sizes and times are the same with these. The weights are seeded
(DiT.randomize: every tensor non-zero, adaLN included, its gates about 0.1) and then damped (DiT.damp): the patch
embedding dominates the tokens, and the last layer holds its pseudo-inverse, so that the predicted noise is about x_t,
disturbed by the blocks. So x stays finite over 250 steps and yet depends on every weight. The VAE's last layer is
scaled so that images of normal latents have a standard deviation of 0.5 around 0.

FOLDER gets dit.pt (bare state_dict, float32), vae/ (diffusers layout), and for each precision sample-NAME.png,
latents-NAME.npy, images-NAME.npy, with times.json: a time for each step from CUDA events, the decoder's, and the whole
from the noise to the images, as the challenge counts it, the second run of the process at that precision.
"""
import argparse
import contextlib
import json
import pathlib
import time

import numpy as np
import torch

from diffusion import sample_labels
from dit import strict_float32, tensor_float32, variant
from files import manifest, save_grid, save_json, save_npy, save_safetensors
from vae import AutoencoderKL

LABELS = [207, 360, 387, 974, 88, 979, 417, 279]


def make_weights(args):
    model = variant(args.model, input_size=args.image_size // 8, num_classes=1000)
    model.randomize(args.weights_seed, modulation=0.1).damp()
    vae = AutoencoderKL(block_out_channels=[int(c) for c in args.vae_channels.split(",")],
                        layers_per_block=args.vae_layers, norm_num_groups=32, sample_size=args.image_size)
    vae.randomize(args.weights_seed + 1).to(args.device).fit_output_range()
    return model.to(args.device).eval().requires_grad_(False), vae.eval().requires_grad_(False)


PRECISIONS = ("strict", "tf32", "tf32-compiled", "fp16", "fp16-compiled")


@contextlib.contextmanager
def precision_of(name, model):
    """FP32 without TF32, TF32, or FP16 where autocast allows it; -compiled: through torch.compile."""
    kind, _, compiled = name.partition("-")
    strict_float32() if kind == "strict" else tensor_float32()
    if compiled:
        model.forward = torch.compile(type(model).forward.__get__(model))
    try:
        with torch.autocast("cuda", torch.float16) if kind == "fp16" else contextlib.nullcontext():
            yield
    finally:
        model.__dict__.pop("forward", None)


class StepTimes:
    """Marks the end of every step on the device."""

    def __init__(self, cuda):
        self.cuda, self.marks = cuda, []
        self.mark()

    def mark(self, *_):
        if self.cuda:
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self.marks.append(event)
        else:
            self.marks.append(time.perf_counter())

    def milliseconds(self):
        if self.cuda:
            torch.cuda.synchronize()
            return [a.elapsed_time(b) for a, b in zip(self.marks, self.marks[1:])]
        return [1e3 * (b - a) for a, b in zip(self.marks, self.marks[1:])]


@torch.no_grad()
def run(model, vae, steps, args):
    cuda = args.device.startswith("cuda")
    if cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    times = StepTimes(cuda)
    _, latents = sample_labels(model, LABELS[:args.images], args.image_size // 8, steps, args.seed,
                               device=args.device, each_step=times.mark)
    images = vae.decode(latents / vae.scaling_factor)
    times.mark()
    if cuda:
        torch.cuda.synchronize()
    whole = time.perf_counter() - start
    each = times.milliseconds()
    return latents, images, {"seconds": whole, "step_ms_median": float(np.median(each[1:-1] or each[:-1])),
                             "step_ms": [round(t, 3) for t in each[:-1]], "decode_ms": each[-1]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--model", default="DiT-XL/2")
    parser.add_argument("--image-size", type=int, default=512)
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--steps", default="250")
    parser.add_argument("--precisions", default="strict,tf32", help="of " + ",".join(PRECISIONS))
    parser.add_argument("--attention", choices=["fused", "explicit"], default="fused",
                        help="fused: PyTorch's scaled_dot_product_attention, as the published model")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--weights-seed", type=int, default=5)
    parser.add_argument("--vae-channels", default="128,256,512,512")
    parser.add_argument("--vae-layers", type=int, default=2)
    parser.add_argument("--no-weights", action="store_true", help="write no checkpoint, only results")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    strict_float32()
    start = time.time()
    model, vae = make_weights(args)
    if not args.no_weights:
        torch.save({n: t.cpu() for n, t in model.state_dict().items()}, out / "dit.pt")
        save_json(out / "vae" / "config.json", vae.config)
        save_safetensors(vae.state_dict(), out / "vae" / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    print(f"weights in {time.time() - start:.1f} s", flush=True)
    model.fuse_attention(args.attention == "fused")
    results, kept = {}, {}
    for precision in args.precisions.split(","):
        if precision not in PRECISIONS:
            parser.error(f"precision {precision}, expected one of {', '.join(PRECISIONS)}")
        with precision_of(precision, model):
            run(model, vae, "2", args)  # warm-up: libraries, memory, compilation
            latents, images, times = run(model, vae, args.steps, args)
        latents, images = latents.float(), images.float()
        finite = bool(torch.isfinite(images).all())
        save_grid(images, out / f"sample-{precision}.png")
        save_npy(out / f"latents-{precision}.npy", latents)
        save_npy(out / f"images-{precision}.npy", images)
        results[precision] = {**times, "finite": finite, "latents_std": float(latents.std()),
                              "images_std": float(images.std())}
        kept[precision] = latents.double(), images.double()
        print(precision, json.dumps({k: v for k, v in results[precision].items() if k != "step_ms"}), flush=True)
    if len(kept) == 2:
        (a, x), (b, y) = kept.values()
        level = 255 / 2 * (x.clamp(-1, 1) - y.clamp(-1, 1)).abs().mean()
        results["difference"] = {"latents_relative": float((a - b).norm() / a.norm()), "mae_levels": float(level)}
        print("difference", results["difference"])
    if args.device.startswith("cuda"):
        results["peak_memory_bytes"] = torch.cuda.max_memory_allocated()
    save_json(out / "times.json", results)
    manifest(out, "reference/make_xl2.py", args.device, options=vars(args), labels=LABELS[:args.images],
             cfg_scale=4.0)


if __name__ == "__main__":
    main()
