# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Asserts that our DiT, our diffusion and our VAE compute what the published programs compute.

    python3 reference/check_against_dit.py --dit PATH_OF_facebookresearch_DiT [--diffusers PATH_OF_diffusers_src]

Those programs are read from where the user has them; nothing of them is part of this repository. Needs timm, and for
diffusers what it imports. Every comparison prints "equal" (bit for bit) or the largest difference; the exit code is 1
when one exceeds --tolerance times the largest value.
"""
import argparse
import importlib
import json
import sys

import torch

import diffusion as our_diffusion
import dit as our_dit
import vae as our_vae

CONFIGS = [
    dict(input_size=8, patch_size=2, hidden_size=144, depth=2, num_heads=2, num_classes=10),
    dict(input_size=16, patch_size=4, hidden_size=32, depth=3, num_heads=4, num_classes=5),
    dict(input_size=16, patch_size=8, hidden_size=48, depth=2, num_heads=3, num_classes=7, learn_sigma=False),
    dict(input_size=32, patch_size=2, hidden_size=384, depth=12, num_heads=6, num_classes=1000),
]


class Comparison:
    def __init__(self, tolerance):
        self.tolerance, self.results, self.failed = tolerance, {}, False

    def __call__(self, name, ours, theirs):
        if torch.equal(ours, theirs):
            self.results[name] = "equal"
        else:
            difference = (ours - theirs).abs().max().item()
            share = difference / max(theirs.abs().max().item(), 1e-30)
            self.results[name] = {"largest_difference": difference, "of_largest_value": share}
            self.failed |= not share <= self.tolerance
        print(f"{name}: {self.results[name]}", flush=True)


def published(folder):
    """models and diffusion of facebookresearch/DiT; its package is called diffusion, as our module is."""
    ours = sys.modules.pop("diffusion")
    path = list(sys.path)
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("models"), importlib.import_module("diffusion")
    finally:
        sys.path[:] = path
        sys.modules["diffusion"] = ours


def compare_dit(compare, models, process, device):
    for number, config in enumerate(CONFIGS):
        name = f"dit-{number}-p{config['patch_size']}-d{config['hidden_size']}"
        ours = our_dit.DiT(**config).randomize(100 + number).damp().to(device).eval()
        theirs = models.DiT(**config).to(device).eval()
        compare(f"{name}.pos_embed", ours.pos_embed.data, theirs.pos_embed.data)
        theirs.load_state_dict(ours.state_dict(), strict=True)
        size, classes = config["input_size"], config["num_classes"]
        torch.manual_seed(number)
        x = torch.randn(3, 4, size, size, device=device)
        t, y = torch.tensor([999, 0, 417], device=device), torch.tensor([1, classes, 3], device=device)
        ours.fuse_attention()
        compare(f"{name}.forward", ours(x, t, y), theirs(x, t, y))
        ours.fuse_attention(False)
        fused = theirs.blocks[0].attn.fused_attn
        for block in theirs.blocks:
            block.attn.fused_attn = False
        compare(f"{name}.forward, explicit attention", ours(x, t, y), theirs(x, t, y))
        pair = torch.cat([x, x]), torch.cat([t, t]), torch.tensor([1, 2, 3] + [classes] * 3, device=device)
        if config.get("learn_sigma", True):
            compare(f"{name}.forward_with_cfg", ours.forward_with_cfg(*pair, 4.0), theirs.forward_with_cfg(*pair, 4.0))
            for sampler in ("ddpm", "ddim"):
                noise, latents = our_dit_sample(ours, [1, 2, 3], size, sampler, device)
                torch.manual_seed(0)
                z = torch.randn(3, 4, size, size, device=device)
                compare(f"{name}.{sampler} noise", noise, z)
                reference = process.create_diffusion("10")
                loop = reference.p_sample_loop if sampler == "ddpm" else reference.ddim_sample_loop
                z = torch.cat([z, z])
                out = loop(theirs.forward_with_cfg, z.shape, z, clip_denoised=False, device=device,
                           model_kwargs=dict(y=pair[2], cfg_scale=4.0))
                compare(f"{name}.{sampler} 10 steps", latents, out.chunk(2)[0])
        for block in theirs.blocks:
            block.attn.fused_attn = fused
        ours.fuse_attention(False)
        explicit = ours(x, t, y)
        relative = ((ours.fuse_attention()(x, t, y) - explicit).norm() / explicit.norm()).item()
        print(f"{name}: fused against explicit attention, relative {relative:.2e}", flush=True)


def our_dit_sample(model, labels, size, sampler, device):
    return our_diffusion.sample_labels(model, labels, size, "10", seed=0, sampler=sampler, device=device)


def compare_tables(compare, process):
    names = {n: n for n in our_diffusion.Diffusion("10").tables() if n not in (
        "timestep_map", "log_betas", "fixed_large_log_variance")}
    for respacing in ("250", "50", "10", "10,15,20", "ddim50", "1000"):
        ours, theirs = our_diffusion.Diffusion(respacing), process.create_diffusion(respacing)
        compare(f"timestep_map {respacing}", torch.tensor(ours.timestep_map), torch.tensor(theirs.timestep_map))
        for name in names:
            compare(f"{name} {respacing}", torch.from_numpy(getattr(ours, name)),
                    torch.from_numpy(getattr(theirs, name)))


def compare_vae(compare, source, device):
    sys.path.insert(0, source)
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    for number, options in enumerate([
        dict(block_out_channels=[16, 16, 32, 32], layers_per_block=1, norm_num_groups=8),
        dict(block_out_channels=[32, 64, 96, 96], layers_per_block=2, norm_num_groups=32),
    ]):
        ours = our_vae.AutoencoderKL(**options).randomize(200 + number).to(device).eval()
        theirs = AutoencoderKL(**{k: v for k, v in ours.config.items() if not k.startswith("_")}).to(device).eval()
        theirs.load_state_dict(ours.state_dict(), strict=True)
        torch.manual_seed(number)
        latents = torch.randn(2, 4, 8, 8, device=device)
        images = torch.rand(2, 3, 64, 64, device=device) * 2 - 1
        compare(f"vae-{number}.decode", ours.decode(latents), theirs.decode(latents).sample)
        compare(f"vae-{number}.encode", ours.encode(images)[0], theirs.encode(images).latent_dist.mean)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dit", required=True, help="folder holding models.py and diffusion/")
    parser.add_argument("--diffusers", help="folder holding the package diffusers")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    parser.add_argument("--out", help="JSON of the results")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    our_dit.strict_float32()
    torch.set_grad_enabled(False)
    compare = Comparison(args.tolerance)
    models, process = published(args.dit)
    compare_tables(compare, process)
    compare_dit(compare, models, process, args.device)
    if args.diffusers:
        try:
            compare_vae(compare, args.diffusers, args.device)
        except ImportError as problem:
            print(f"diffusers cannot be imported here: {problem}", flush=True)
            compare.results["vae"] = f"not compared: {problem}"
    equal = sum(r == "equal" for r in compare.results.values())
    print(f"{equal} of {len(compare.results)} comparisons are equal bit for bit")
    if args.out:
        with open(args.out, "w") as out:
            json.dump({"torch": torch.__version__, "device": args.device, "results": compare.results}, out, indent=1)
    sys.exit(1 if compare.failed else 0)


if __name__ == "__main__":
    main()
