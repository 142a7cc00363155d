# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Makes reference/data/metrics: pairs of small PNGs and what torchmetrics says of them, read as evaluate.py reads them.

    python3 reference/make_metric_references.py --out reference/data/metrics

Needs torchmetrics. No pretrained network is needed: LPIPS runs on VGG16 filled from a hash that any language can
repeat (see ``hashed_uniform``), with the published linear heads that torchmetrics carries.
"""
import argparse
import math
import pathlib

import numpy as np
import torch
from PIL import Image, ImageFilter

from dit import strict_float32
from files import manifest, save_json, save_npy

PROGRAM = "reference/make_metric_references.py"
HEADS_LICENCE = """lin0.npy to lin4.npy are the linear heads of LPIPS (VGG) 0.1 from
https://github.com/richzhang/PerceptualSimilarity, as torchmetrics carries them.

Copyright (c) 2018, Richard Zhang, Phillip Isola, Alexei A. Efros, Eli Shechtman, Oliver Wang
All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
following conditions are met:

* Redistributions of source code must retain the above copyright notice, this list of conditions and the following
  disclaimer.

* Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
  disclaimer in the documentation and/or other materials provided with the distribution.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""
WEIGHTS_RULE = (
    "VGG16 convolution l (0..12, in order), flat index k of its (out, in, 3, 3) weight: key = l * 2^32 + k; bias k: "
    "key = l * 2^32 + 2^31 + k. z = key + 0x9E3779B97F4A7C15; z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9; "
    "z = (z ^ z >>> 27) * 0x94D049BB133111EB; z = z ^ z >>> 31 (64-bit, wrapping). u = (z >>> 40) * 2^-24 in [0, 1). "
    "value = (float) ((2 u - 1) * a), in double, with a = sqrt(6 / (9 * in)) for weights (variance 2 / fan_in), "
    "0.05 for biases.")


def hashed_uniform(layer, offset, count):
    """The splitmix64 hash of layer and index as uniform doubles in -1..1: WEIGHTS_RULE's 2 u - 1."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint64) + np.uint64((layer << 32) + offset) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return 2 * ((z >> np.uint64(40)).astype(np.float64) * 2.0**-24) - 1


def fill_vgg(network):
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 13
    first = {}
    for layer, conv in enumerate(convolutions):
        bound = math.sqrt(6 / (9 * conv.in_channels))
        weight = (hashed_uniform(layer, 0, conv.weight.numel()) * bound).astype(np.float32)
        bias = (hashed_uniform(layer, 1 << 31, conv.bias.numel()) * 0.05).astype(np.float32)
        conv.weight.data.copy_(torch.from_numpy(weight).view_as(conv.weight))
        conv.bias.data.copy_(torch.from_numpy(bias))
        first[f"conv{layer}"] = {"shape": list(conv.weight.shape), "first_weights": [float(w) for w in weight[:4]],
                                 "first_biases": [float(b) for b in bias[:2]],
                                 "weight_sum_double": float(weight.astype(np.float64).sum())}
    return first


def scene(width, height, seed):
    """A picture with smooth parts, edges and texture, (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    image = np.stack([120 + 90 * np.sin(3 * x + c) * np.cos(4 * y - c) for c in range(3)], axis=-1)
    for _ in range(8):
        cx, cy, r = rng.random(3) * [x.max(), y.max(), 0.3]
        image[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = rng.integers(0, 256, 3)
    image += rng.normal(0, 3, image.shape) * (x[..., None] > 0.5)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def noisy(image, sigma, seed):
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def pairs():
    """name -> (baseline, candidate), PIL images."""
    base = scene(64, 64, 1)
    sparse = base.copy()
    sparse.reshape(-1)[::97] ^= 1
    grid = np.zeros((258, 514, 3), dtype=np.uint8)
    for row in range(2):
        for column in range(4):
            top, left = 2 + row * 128, 2 + column * 128
            grid[top:top + 126, left:left + 126] = scene(126, 126, 50 + 4 * row + column)
    dark = (base // 2).astype(np.uint8)
    grey = np.full((24, 32, 3), 119, dtype=np.uint8)
    image = Image.fromarray
    alpha = np.dstack([noisy(base, 4, 9), np.full((64, 64, 1), 90, dtype=np.uint8)])
    return {
        "identical": (image(base), image(base)),
        "sparse-off-by-one": (image(base), image(sparse)),
        "off-by-one": (image(np.clip(base, 0, 254)), image(np.clip(base, 0, 254) + 1)),
        "noise-5": (image(base), image(noisy(base, 5, 2))),
        "noise-40": (image(base), image(noisy(base, 40, 3))),
        "blur": (image(base), image(base).filter(ImageFilter.GaussianBlur(1.5))),
        "shifted": (image(base), image(np.roll(base, (1, 1), axis=(0, 1)))),
        "other-picture": (image(base), image(scene(64, 64, 7))),
        "odd-size-53x37": (image(scene(53, 37, 4)), image(noisy(scene(53, 37, 4), 8, 5))),
        "dark": (image(dark), image(noisy(dark, 3, 6))),
        "flat-grey": (image(grey), image(grey + 3)),
        "flat-black": (image(grey * 0), image(grey * 0)),
        "black-white": (image(np.zeros((32, 32, 3), np.uint8)), image(np.full((32, 32, 3), 255, np.uint8))),
        "tiny-16x16": (image(scene(16, 16, 8)), image(noisy(scene(16, 16, 8), 6, 8))),
        "tiny-8x7": (image(scene(8, 7, 8)), image(noisy(scene(8, 7, 8), 6, 8))),
        "tiny-5x5": (image(scene(5, 5, 8)), image(noisy(scene(5, 5, 8), 6, 8))),
        "grid-514x258": (image(grid), image(noisy(grid, 0.4, 10))),
        "resized-48x40": (image(scene(64, 56, 11)), image(scene(48, 40, 11))),
        "resized-96x80": (image(scene(64, 56, 12)), image(scene(96, 80, 12))),
        "mode-grey": (image(base), image(base).convert("L")),
        "mode-rgba": (image(base), image(alpha)),
    }


def number(value):
    value = float(value)
    return value if math.isfinite(value) else str(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="reference/data/metrics")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    import torchmetrics
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure
    from torchmetrics.functional.image.lpips import _LPIPS
    strict_float32()
    torch.set_grad_enabled(False)
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    lpips = _LPIPS(pretrained=True, net="vgg", pnet_rand=True).to(args.device)
    first = fill_vgg(lpips.net)
    for i, head in enumerate(lpips.lins):
        save_npy(out / f"lin{i}.npy", head.model[-1].weight.reshape(-1))
    (out / "LICENSE-lpips.txt").write_text(HEADS_LICENCE)
    results = {}
    for name, (baseline, candidate) in pairs().items():
        files = {"baseline": f"{name}.baseline.png", "candidate": f"{name}.candidate.png"}
        baseline.save(out / files["baseline"], optimize=True)
        candidate.save(out / files["candidate"], optimize=True)
        one, two = baseline.convert("RGB"), candidate.convert("RGB")
        if two.size != one.size:
            two = two.resize(one.size, Image.LANCZOS)
            files["candidate_resized"] = f"{name}.resized.png"
            two.save(out / files["candidate_resized"], optimize=True)
        a8, b8 = np.asarray(one), np.asarray(two)
        a, b = (torch.from_numpy(x.copy()).permute(2, 0, 1)[None].float().div(255).to(args.device) for x in (a8, b8))
        entry = {"files": files, "width": one.width, "height": one.height,
                 "mae": number(np.abs(a8.astype(np.int32) - b8.astype(np.int32)).mean())}
        # PeakSignalNoiseRatio() of torchmetrics up to 1.8 takes the range of its second argument, 0 included.
        spread = max(float(b.max()), 0.0) - min(float(b.min()), 0.0)
        entry["psnr"] = number(peak_signal_noise_ratio(a, b, data_range=spread))
        entry["psnr_data_range"] = spread
        entry["psnr_range_1"] = number(peak_signal_noise_ratio(a, b, data_range=1.0))
        if min(one.size) > 5:
            entry["ssim"] = number(structural_similarity_index_measure(a, b))
            entry["ssim_float64"] = number(structural_similarity_index_measure(a.double(), b.double()))
        if min(one.size) >= 16:
            entry["lpips"] = number(lpips(a, b, normalize=True))
            total, layers = lpips.double()(a.double(), b.double(), retperlayer=True, normalize=True)
            lpips.float()
            entry["lpips_float64"] = number(total)
            entry["lpips_layers_float64"] = [number(layer) for layer in layers]
        results[name] = entry
        print(name, {k: v for k, v in entry.items() if k in ("mae", "psnr", "ssim", "lpips")}, flush=True)
    save_json(out / "metrics.json", {
        "reading": "PNG, convert('RGB'), candidate resized by Pillow's LANCZOS to the baseline's size, /255 float32; "
                   "mae in 0..255 levels; psnr(baseline, candidate) as torchmetrics 1.7's PeakSignalNoiseRatio(), "
                   "whose data_range is max(candidate, 0) - min(candidate, 0); psnr_range_1 with data_range 1; ssim "
                   "as StructuralSimilarityIndexMeasure(); lpips as LearnedPerceptualImagePatchSimilarity("
                   "net_type='vgg', normalize=True) with the hashed VGG16 below",
        "torchmetrics": torchmetrics.__version__, "vgg_rule": WEIGHTS_RULE, "vgg_check": first, "pairs": results})
    manifest(out, PROGRAM, args.device, torchmetrics=torchmetrics.__version__, precision="float32, no TF32")


if __name__ == "__main__":
    main()
