# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Makes the small references under reference/data (all but metrics and demo).

    python3 reference/make_references.py --out reference/data [--device cuda]

Every folder has a manifest.json. A sub-module's output is stored under its PyTorch path; the manifest holds, for
each, float32's relative distance to the same computation in float64, ||a - b|| / ||b||.
"""
import argparse
import collections
import copy
import pathlib

import numpy as np
import torch

from diffusion import Diffusion, sample_labels
from dit import DiT, strict_float32
from files import Capture, manifest, save_grid, save_json, save_npy, save_safetensors
from vae import AutoencoderKL

PROGRAM = "reference/make_references.py"

#: name -> (configuration, batch, seed, checkpoint kind)
DIT_CASES = {
    "dit-p2-head72": (dict(input_size=8, patch_size=2, hidden_size=144, depth=2, num_heads=2, num_classes=10),
                      3, 11, "float16"),
    "dit-p4-head8": (dict(input_size=16, patch_size=4, hidden_size=32, depth=3, num_heads=4, num_classes=5),
                     2, 12, "training"),
    "dit-p8-fixed-sigma": (dict(input_size=16, patch_size=8, hidden_size=48, depth=2, num_heads=3, num_classes=7,
                                learn_sigma=False), 3, 13, "safetensors"),
    "dit-p2-mlp2": (dict(input_size=8, patch_size=2, hidden_size=64, depth=2, num_heads=2, num_classes=6,
                         mlp_ratio=2.0), 1, 14, "bare"),
}


def distance(a, b):
    a, b = a.double().cpu(), b.double().cpu()
    return float((a - b).norm() / b.norm().clamp(min=1e-300))


def save_modules(folder, module, run, prefix=""):
    """Runs in float32, then in float64; stores the float32 outputs, returns their distances to float64."""
    with Capture(module) as capture:
        output = run(module, torch.float32)
    exact_module = copy.deepcopy(module).double()
    with Capture(exact_module) as exact_capture:
        exact = run(exact_module, torch.float64)
    distances = {}
    for name, value in capture.outputs.items():
        save_npy(folder / f"{prefix}{name}.npy", value)
        distances[prefix + name] = distance(value, exact_capture.outputs[name])
    distances["output"] = distance(output, exact)
    save_npy(folder / "output.npy", output)
    save_npy(folder / "output_float64.npy", exact)
    return distances, exact_module


def save_checkpoint(model, kind, folder):
    state = collections.OrderedDict((n, t.cpu()) for n, t in model.state_dict().items())
    if kind == "safetensors":
        save_safetensors(state, folder / "checkpoint.safetensors", {"format": "pt"})
    elif kind == "training":
        # As facebookresearch/DiT's train.py writes it: args is an argparse.Namespace.
        other = collections.OrderedDict((n, t + 1) for n, t in state.items())
        torch.save({"model": other, "ema": state, "opt": {"state": {}, "param_groups": [{"lr": 1e-4, "params": [0]}]},
                    "args": argparse.Namespace(model="custom", global_seed=0)}, folder / "checkpoint.pt")
    elif kind == "float16":
        torch.save(collections.OrderedDict((n, t.half()) for n, t in state.items()), folder / "checkpoint.pt")
    else:
        torch.save(state, folder / "checkpoint.pt")


def make_dit(name, config, batch, seed, kind, root, device):
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    model = DiT(**config).randomize(seed)
    if kind == "float16":  # what is computed with is what is stored
        model.half().float()
        model.t_embedder.frequencies.copy_(DiT(**config).t_embedder.frequencies)
    save_checkpoint(model, kind, folder)
    save_json(folder / "config.json", model.config)
    model.to(device)
    generator = torch.Generator().manual_seed(seed + 1000)
    size = config["input_size"]
    x = torch.randn(batch, 4, size, size, generator=generator)
    t = torch.tensor([999, 0, 417][:batch])
    y = torch.tensor([1, config["num_classes"], 3][:batch])
    for key, value in (("x", x), ("t", t), ("y", y)):
        save_npy(folder / f"input.{key}.npy", value)
    x, t, y = x.to(device), t.to(device), y.to(device)
    with torch.no_grad():
        distances, exact = save_modules(folder, model, lambda m, dtype: m(x.to(dtype), t, y))
        # Guidance: the batch and its null half, labels in range.
        labels = torch.tensor([1, 2, 3][:batch])
        pair_y = torch.cat([labels, torch.full((batch,), config["num_classes"])]).to(device)
        pair_x, pair_t = torch.cat([x, x]), torch.cat([t, t])
        save_npy(folder / "cfg.y.npy", pair_y)
        for channels in ("3", "all"):
            out = model.forward_with_cfg(pair_x, pair_t, pair_y, 4.0, channels)
            ref = exact.forward_with_cfg(pair_x.double(), pair_t, pair_y, 4.0, channels)
            save_npy(folder / f"cfg_{channels}.output.npy", out)
            distances[f"cfg_{channels}.output"] = distance(out, ref)
    manifest(folder, PROGRAM, device, seed=seed, config=model.config, batch=batch, checkpoint=kind, cfg_scale=4.0,
             precision="float32, no TF32, explicit attention", float64_distance=distances)


def tiny_vae():
    return AutoencoderKL(block_out_channels=[16, 16, 32, 32], layers_per_block=1, norm_num_groups=8, sample_size=64,
                         scaling_factor=0.5).randomize(21).fit_output_range()


def deprecated_names(state):
    """The attention names of AutoencoderKL files written before 2023."""
    new = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    renamed = collections.OrderedDict()
    for name, tensor in state.items():
        for modern, old in new.items():
            if f"attentions.0.{modern}." in name:
                name = name.replace(f".{modern}.", f".{old}.")
        renamed[name] = tensor
    return renamed


def make_vae(root, device):
    vae = tiny_vae()
    state = collections.OrderedDict((n, t.cpu()) for n, t in vae.state_dict().items())
    for name in ("vae-tiny", "vae-tiny-bin", "vae-tiny-bin-old-names"):
        save_json(root / name / "config.json", vae.config)
    save_safetensors(state, root / "vae-tiny" / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    torch.save(state, root / "vae-tiny-bin" / "diffusion_pytorch_model.bin")
    torch.save(deprecated_names(state), root / "vae-tiny-bin-old-names" / "diffusion_pytorch_model.bin")
    for name in ("vae-tiny-bin", "vae-tiny-bin-old-names"):
        manifest(root / name, PROGRAM, "cpu", seed=21, same_weights_as="vae-tiny")
    vae.to(device)
    folder = root / "vae-tiny" / "decode"
    latents = torch.randn(1, 4, 3, 5, generator=torch.Generator().manual_seed(22)) / vae.scaling_factor
    save_npy(folder / "input.npy", latents)
    latents = latents.to(device)
    with torch.no_grad():
        distances, exact = save_modules(folder, vae, lambda m, dtype: m.decode(latents.to(dtype)))
        images = torch.rand(1, 3, 24, 40, generator=torch.Generator().manual_seed(23)) * 2 - 1
        mean, log_variance = vae.encode(images.to(device))
        save_npy(folder.parent / "encode" / "input.npy", images)
        save_npy(folder.parent / "encode" / "mean.npy", mean)
        save_npy(folder.parent / "encode" / "log_variance.npy", log_variance)
        distances["encode.mean"] = distance(mean, exact.encode(images.to(device).double())[0])
    manifest(folder, PROGRAM, device, seed=21, config=vae.config, precision="float32, no TF32",
             input="latents already divided by scaling_factor, 3 x 5", float64_distance=distances)


def sampling_model():
    return DiT(input_size=8, patch_size=2, hidden_size=64, depth=2, num_heads=2, num_classes=6).randomize(31).damp()


def make_sampling(root, device):
    base = root / "sampling"
    base.mkdir(parents=True, exist_ok=True)
    model, vae = sampling_model(), tiny_vae().to(device)
    save_checkpoint(model, "bare", base)
    save_json(base / "config.json", model.config)
    model.to(device)
    labels = [0, 1, 2, 3, 4, 5, 0, 1]
    for sampler in ("ddpm", "ddim"):
        for channels in ("3", "all", "unguided"):
            folder, steps = base / f"{sampler}-{channels}", []
            scale = 1.0 if channels == "unguided" else 4.0
            noise, latents = sample_labels(model, labels, 8, "10", seed=0, cfg_scale=scale, cfg_channels=channels,
                                           sampler=sampler, device=device,
                                           each_step=lambda i, x: steps.append(x[:8].clone()))
            with torch.no_grad():
                images = vae.decode(latents / vae.scaling_factor)
            save_npy(folder / "noise.npy", noise)
            save_npy(folder / "steps.npy", torch.stack(steps))
            save_npy(folder / "latents.npy", latents)
            if (sampler, channels) == ("ddpm", "3"):
                save_npy(folder / "images.npy", images)
            save_grid(images, folder / "sample.png")
            manifest(folder, PROGRAM, device, seed=0, labels=labels, cfg_scale=scale, cfg_channels=channels,
                     sampler=sampler, eta=0.0, respacing="10", vae="vae-tiny", rng=str(device),
                     order="steps.npy[k] is x after the k-th step taken, guided half only",
                     precision="float32, no TF32, explicit attention",
                     latents_std=float(latents.std()), images_std=float(images.std()))
            print(f"{sampler}-{channels}: latents {latents.std():.3f}, images {images.std():.3f}", flush=True)
    # Two batches of one run continue the stream; the second call's noise starts where the first run ended.
    torch.manual_seed(0)
    follow = [torch.randn(8, 4, 8, 8, device=device) for _ in range(12)]
    save_npy(base / "call11.npy", follow[11])


def make_tables(root):
    folder = root / "diffusion"
    folder.mkdir(parents=True, exist_ok=True)
    for respacing in ("1000", "250", "50", "10", "10,15,20", "ddim50"):
        np.savez(folder / f"{respacing.replace(',', '_')}.npz", **Diffusion(respacing).tables())
    manifest(folder, PROGRAM, "cpu", dtype="float64", train_steps=1000, betas="linear, 0.0001 to 0.02")


def transformer_state(model):
    """Names of diffusers' DiT: q, k, v split, embedders repeated in every block."""
    source, state = model.state_dict(), collections.OrderedDict()
    for kind in ("weight", "bias"):
        state[f"pos_embed.proj.{kind}"] = source[f"x_embedder.proj.{kind}"]
        state[f"proj_out_1.{kind}"] = source[f"final_layer.adaLN_modulation.1.{kind}"]
        state[f"proj_out_2.{kind}"] = source[f"final_layer.linear.{kind}"]
        for i in range(model.config["depth"]):
            block, ours = f"transformer_blocks.{i}", f"blocks.{i}"
            embedder = f"{block}.norm1.emb.timestep_embedder"
            state[f"{embedder}.linear_1.{kind}"] = source[f"t_embedder.mlp.0.{kind}"]
            state[f"{embedder}.linear_2.{kind}"] = source[f"t_embedder.mlp.2.{kind}"]
            state[f"{block}.norm1.linear.{kind}"] = source[f"{ours}.adaLN_modulation.1.{kind}"]
            for letter, part in zip("qkv", source[f"{ours}.attn.qkv.{kind}"].chunk(3)):
                state[f"{block}.attn1.to_{letter}.{kind}"] = part.contiguous()
            state[f"{block}.attn1.to_out.0.{kind}"] = source[f"{ours}.attn.proj.{kind}"]
            state[f"{block}.ff.net.0.proj.{kind}"] = source[f"{ours}.mlp.fc1.{kind}"]
            state[f"{block}.ff.net.2.{kind}"] = source[f"{ours}.mlp.fc2.{kind}"]
    for i in range(model.config["depth"]):
        state[f"transformer_blocks.{i}.norm1.emb.class_embedder.embedding_table.weight"] = source[
            "y_embedder.embedding_table.weight"]
    return collections.OrderedDict((n, t.clone()) for n, t in state.items())


def make_transformer(root):
    """A diffusers pipeline folder of the same tiny model as sampling/checkpoint.pt."""
    model, folder = sampling_model(), root / "diffusers-dit"
    config = model.config
    save_json(folder / "transformer" / "config.json", {
        "_class_name": "DiTTransformer2DModel", "_diffusers_version": "0.33.1", "activation_fn": "gelu-approximate",
        "attention_bias": True, "attention_head_dim": config["hidden_size"] // config["num_heads"], "dropout": 0.0,
        "in_channels": 4, "norm_elementwise_affine": False, "norm_eps": 1e-05, "norm_num_groups": 32,
        "norm_type": "ada_norm_zero", "num_attention_heads": config["num_heads"],
        "num_embeds_ada_norm": config["num_classes"], "num_layers": config["depth"], "out_channels": 8,
        "patch_size": config["patch_size"], "sample_size": config["input_size"], "upcast_attention": False})
    save_safetensors(transformer_state(model), folder / "transformer" / "diffusion_pytorch_model.safetensors",
                     {"format": "pt"})
    save_json(folder / "model_index.json", {
        "_class_name": "DiTPipeline", "_diffusers_version": "0.33.1",
        "transformer": ["diffusers", "DiTTransformer2DModel"], "vae": ["diffusers", "AutoencoderKL"]})
    manifest(folder, PROGRAM, "cpu", seed=31, source="sampling/checkpoint.pt")


def make_odd_files(root):
    """Small .pt files of kinds that occur, each with its values as float32 in an .npz of the same name."""
    folder = root / "odd-pt"
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(41)
    a = torch.randn(3, 5, generator=generator)
    b = torch.randn(4, 6, 2, generator=generator)
    shared = torch.arange(24, dtype=torch.float32)
    files = {
        "float16": {"a": a.half(), "b": b.half()},
        "bfloat16": {"a": a.bfloat16(), "b": b.bfloat16()},
        "transposed": {"a": a.t(), "b": b.permute(2, 0, 1)},
        "offset": {"a": b[1:3, 2:5], "b": b.view(-1)[7:22].view(3, 5)},
        "shared": {"a": shared.view(4, 6), "b": shared.view(6, 4).t(), "c": shared[5:11]},
        "expanded": {"a": a[:, :1].expand(3, 4)},
        "expanded-one": {"a": a[0, :1].clone().expand(1000), "b": a[0, :5].clone().expand(7, 5)},
        "parameter": {"a": torch.nn.Parameter(a), "b": torch.nn.Parameter(b, requires_grad=False)},
        "scalar-and-empty": {"a": torch.tensor(2.5), "b": torch.zeros(0, 3), "c": torch.tensor([7])},
        "float64": {"a": a.double()},
    }
    for name, tensors in files.items():
        torch.save(collections.OrderedDict(tensors), folder / f"{name}.pt")
        np.savez(folder / f"{name}.npz", **{n: t.detach().float().numpy() for n, t in tensors.items()})
    torch.serialization.set_crc32_options(False)
    torch.save(collections.OrderedDict(a=a), folder / "without-crc32.pt")
    np.savez(folder / "without-crc32.npz", a=a.numpy())
    torch.serialization.set_crc32_options(True)
    torch.save({"epoch": 3, "ema": collections.OrderedDict(files["float16"]), "note": "text"},
               folder / "nested-ema.pt")
    np.savez(folder / "nested-ema.npz", **{n: t.float().numpy() for n, t in files["float16"].items()})
    torch.save(collections.OrderedDict(a=a), folder / "legacy-not-zip.pt", _use_new_zipfile_serialization=False)
    np.savez(folder / "legacy-not-zip.npz", a=a.numpy())
    manifest(folder, PROGRAM, "cpu", seed=41)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="reference/data")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    strict_float32()
    root = pathlib.Path(args.out)
    for name, (config, batch, seed, kind) in DIT_CASES.items():
        make_dit(name, config, batch, seed, kind, root, args.device)
        print(name, flush=True)
    make_vae(root, args.device)
    make_sampling(root, args.device)
    make_tables(root)
    make_transformer(root)
    make_odd_files(root)


if __name__ == "__main__":
    main()
