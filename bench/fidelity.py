# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""How far pictures of this engine are from PyTorch's in strict FP32: DiT-XL/2, the demo model and custom models.

    python3 bench/fidelity.py FOLDER [--cases xl2,demo,custom] [--precisions highest,high] [--together 4] [--json FILE]

Each case is a model, a guidance scale and a number of steps. PyTorch samples it in strict FP32, ./dit at each precision, with
the same weights, labels and noise; ./dit evaluate judges both PNGs by the strict gates. The custom models are random and damped
as reference/make_xl2.py says, of other depths, widths, patch sizes and MLP ratios. Pictures, weights and logs go to FOLDER.
--together runs that many commands beside one another: times mean nothing then, the pictures do. Wants torch, torchvision, the
built jar and TORNADOVM_HOME.
"""
import argparse
import concurrent.futures
import datetime
import json
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:1] = [str(ROOT / "reference"), str(ROOT / "reference/demo")]

XL2 = dict(input_size=64, patch_size=2, hidden_size=1152, depth=28, num_heads=16, mlp_ratio=4.0)
#: name: (model, guidance, steps, images); a model is a DiT's sizes, or None for the demo's.
CASES = {
    "xl2": (XL2, 4.0, "250", 8),
    "demo-1.5": (None, 1.5, "250", 8),
    "demo-4": (None, 4.0, "250", 8),
    "demo-7.5": (None, 7.5, "250", 8),
    "custom-p2-d3": (dict(input_size=32, patch_size=2, hidden_size=384, depth=3, num_heads=6), 7.5, "50", 4),
    "custom-p4-d12": (dict(input_size=32, patch_size=4, hidden_size=512, depth=12, num_heads=8), 1.5, "50", 7),
    "custom-p8-d6": (dict(input_size=64, patch_size=8, hidden_size=768, depth=6, num_heads=12, mlp_ratio=2.0), 4.0, "50", 5),
    "custom-p2-d18": (dict(input_size=16, patch_size=2, hidden_size=576, depth=18, num_heads=8), 5.5, "100", 9),
}
CUSTOM_CLASSES = 10


def model_of(name, sizes, device):
    """The model, its autoencoder, and ./dit's options for them."""
    import torch
    from dit import DiT
    from make_demo_references import load_demo
    from vae import AutoencoderKL

    if sizes is None:
        model, vae, _ = load_demo(ROOT / "demo", device)
        return model, vae, ["--model", "demo"]
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    large = sizes is XL2
    model = DiT(num_classes=1000 if large else CUSTOM_CLASSES, **sizes)
    model.randomize(5, modulation=0.1).damp()
    vae = AutoencoderKL(block_out_channels=[128, 256, 512, 512] if large else [64, 64, 96, 128],
                        layers_per_block=2 if large else 1, norm_num_groups=32, sample_size=8 * sizes["input_size"])
    vae.randomize(6).to(device).fit_output_range()
    from files import save_json, save_safetensors
    torch.save(model.state_dict(), folder / "dit.pt")
    save_json(folder / "config.json", model.config)
    save_json(folder / "vae" / "config.json", vae.config)
    save_safetensors(vae.state_dict(), folder / "vae" / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    return (model.to(device).eval().requires_grad_(False), vae.eval().requires_grad_(False),
            ["--model", folder / "config.json", "--ckpt", folder / "dit.pt", "--vae", folder / "vae"])


def baseline(name, device):
    """PyTorch's picture in strict FP32; ./dit's options for the same."""
    import torch
    from diffusion import sample_labels
    from dit import strict_float32
    from files import save_grid

    sizes, guidance, steps, images = CASES[name]
    strict_float32()
    with torch.no_grad():
        model, vae, options = model_of(name, sizes, device)
        classes = model.config["num_classes"]
        labels = [(3 + 47 * i) % classes for i in range(images)]
        _, latents = sample_labels(model, labels, model.config["input_size"], steps, 0, guidance, device=device)
        save_grid(vae.decode(latents / vae.scaling_factor), FOLDER / f"{name}-strict.png")
    return [*options, "--class-labels", ",".join(map(str, labels)), "--cfg-scale", guidance, "--num-sampling-steps", steps]


def ours(name, precision, options, dit):
    """Our picture at a precision, judged."""
    picture = FOLDER / f"{name}-{precision}.png"
    command = [str(part) for part in (
        ROOT / "dit", "sample", *options, *dit, "--matmul-precision", precision, "--output", picture)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    (FOLDER / f"{name}-{precision}.log").write_text(shlex.join(command) + "\n" + done.stdout)
    row = {"case": name, "precision": precision, "guidance": CASES[name][1], "steps": CASES[name][2]}
    if done.returncode:
        return {**row, "gates": f"failed with {done.returncode}: " + done.stdout.strip().split("\n")[-1]}
    judged = subprocess.run([str(ROOT / "dit"), "evaluate", str(FOLDER / f"{name}-strict.png"), str(picture),
                             "--format", "json", "--gates", "strict"], capture_output=True, text=True)
    if judged.returncode not in (0, 5):
        return {**row, "gates": judged.stderr.strip()}
    mean = json.loads(judged.stdout[judged.stdout.index("{"):])["mean"]
    return {**row, **{key: mean[key] for key in ("mae", "psnr", "ssim")},
            "gates": "passed" if judged.returncode == 0 else "failed"}


def main():
    global FOLDER
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--cases", default="xl2,demo,custom", help="beginnings of names of: " + ", ".join(CASES))
    parser.add_argument("--precisions", default="highest,high")
    parser.add_argument("--together", type=int, default=1, help="commands beside one another")
    parser.add_argument("--dit", type=shlex.split, default=["--device", "tornado", "--devices", "0"],
                        help="options of ./dit: where it runs")
    parser.add_argument("--device", default="cuda", help="PyTorch's")
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    FOLDER = args.folder.resolve()
    FOLDER.mkdir(parents=True, exist_ok=True)
    names = [name for name in CASES if name.startswith(tuple(args.cases.split(",")))]
    names.sort(key=lambda name: name == "xl2")  # PyTorch takes longest for it: the others' commands run meanwhile
    started = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    with concurrent.futures.ThreadPoolExecutor(args.together) as pool:
        rows = []
        for name in names:
            options = baseline(name, args.device)
            print(f"{name}: PyTorch's picture is there", file=sys.stderr, flush=True)
            rows += [pool.submit(ours, name, precision, options, args.dit) for precision in args.precisions.split(",")]
        rows = [row.result() for row in rows]
    import torch
    where = torch.cuda.get_device_name(0) if args.device.startswith("cuda") else "CPU"
    if args.json:
        args.json.write_text(json.dumps({"format": 1, "kind": "fidelity", "date": started, "device": where,
                                         "pytorch": torch.__version__, "rows": rows}, indent=2) + "\n")
    print(f"{where}, PyTorch {torch.__version__}, {started}\n")
    print("| case | precision | guidance | steps | mean absolute difference, 0..255 | PSNR, dB | SSIM | strict gates |\n"
          "|---|---|---|---|---|---|---|---|")
    for row in rows:
        figures = " | ".join(f"{row[key]:.{digits}f}" if isinstance(row.get(key), float) else str(row.get(key, "-"))
                             for key, digits in (("mae", 4), ("psnr", 1), ("ssim", 6)))
        print(f"| {row['case']} | {row['precision']} | {row['guidance']} | {row['steps']} | {figures} | {row['gates']} |")
    sys.exit(any(row["gates"] != "passed" for row in rows))


if __name__ == "__main__":
    main()
