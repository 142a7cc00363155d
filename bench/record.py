# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Records for ./dit report of runs whose words were kept but not their JSON: every figure is read from the logs.

    python3 bench/record.py compare LOG... --command TEXT --json results/NAME.json
    python3 bench/record.py bench LOG [--profile TABLE] [--peer LOG] --command TEXT --json results/NAME.json

LOG is what ./dit sample, reference/make_xl2.py and ./dit evaluate printed; TABLE what bench/profile.py printed; the peer's
LOG what tornado-kernels/bench/pytorch_peer.py printed on the same card in the same call. The date is the last change of
the first log unless --date says otherwise.
"""
import argparse
import datetime
import json
import pathlib
import re
import sys

PYTORCH = {"strict": "PyTorch, strict FP32", "tf32": "PyTorch, TF32", "tf32-compiled": "PyTorch, TF32, compiled",
           "fp16": "PyTorch, FP16", "fp16-compiled": "PyTorch, FP16, compiled"}
T, D, M = 1024, 1152, 4608  # DiT-XL/2 at 512 x 512
PRODUCTS = {"attn_qkv": (3 * D, D), "attn_proj": (D, D), "mlp_fc1": (M, D), "mlp_fc2": (D, M), "x_embedder": (D, 16),
            "final_layer_linear": (32, D)}


def samplings(text):
    """Every run of ./dit sample in a log."""
    found = []
    for block in re.split(r"(?m)^(?=\d+: .* \(\w+, \w+)", text)[1:]:
        device = re.match(r"(\d+): (.+?) \((\w+), \w+(?:, capability ([\d.]+))?, [\d.]+ GB\); (.*?)[;:]", block)
        run = re.search(r"(?m)^(\S+), (\d+) images of (\d+) x \d+, (\d+) (DDPM|DDIM) steps", block)
        times = re.search(r"(\d+) steps in [\d.]+ s, ([\d.]+) ms a step; decoded in ([\d.]+) s", block)
        whole = re.search(r"Average sampling time: ([\d.]+)", block)
        if device and run and times and whole:
            driver = re.search(r"driver: .*?(\d{3}\.[\d.]+\d)", block)
            tier = device[5]
            found.append({
                "device": device[2], "backend": device[3], "capability": device[4] or "", "tier": tier,
                "driver": driver[1] if driver else "", "precision": "higher" if "FP8" in tier else "high" if "one FP16" in tier else "highest",
                "model": run[1], "batch": int(run[2]), "image_size": int(run[3]), "steps": run[4], "sampler": run[5],
                "step_ms": float(times[2]), "decode_ms": 1e3 * float(times[3]), "seconds": float(whole[1])})
    return found


def pytorch(text):
    engines = []
    for name, facts in re.findall(r"(?m)^([\w-]+) (\{\"seconds\".*\})$", text):
        t = json.loads(facts)
        engines.append({"name": PYTORCH.get(name, "PyTorch, " + name), "ours": False, "step_ms": t["step_ms_median"],
                        "decode_ms": t["decode_ms"], "seconds": t["seconds"], "finite": t["finite"]})
    return engines


def pictures(text):
    found = []
    for name, block in re.findall(r"(?ms)^== ([^\n]*)\n(.*?)(?=^== |\Z)", text):
        values = {key: re.search(words + r":\s+([\d.]+|inf)", block) for key, words in (
            ("mae", "Pixel-wise Mean Absolute Difference"), ("lpips", r"LPIPS \(VGG\)"), ("psnr", "PSNR"), ("ssim", "SSIM"))}
        if values["mae"]:
            found.append({"name": name, **{k: float(v[1]) for k, v in values.items() if v and v[1] != "inf"}})
    return found


def kernels(table, precision, samples, tensor):
    """Rows of bench/profile.py's table of a step, with the work of each task by its shapes."""
    rows, planes = 2 * samples * T, 1 if precision == "high" else 2
    result = []
    step = table[table.index("step:"):].split("\ndecode:")[0]
    for task, launches, each in re.findall(r"(?m)^\| (\w+) \| ([\d.]+) \| ([\d.]+) \|", step):
        flop = bytes_ = 0
        ceiling, shape = "memory", ""
        size = 2 * planes if tensor else 4  # bytes of a number of an operand
        if task in PRODUCTS:
            n, k = PRODUCTS[task]
            flop, shape = 2 * rows * n * k, f"{rows}x{n}x{k}"
            bytes_ = size * (rows * k + n * k) + 4 * rows * n
            ceiling = ("tensor_split" if planes == 2 else "tensor_fp16") if tensor and task != "x_embedder" else "fp32"
        elif task == "attn":
            flop, bytes_, shape = 4 * rows * T * D, size * 4 * rows * D, f"{2 * samples}x{T}x16x{D // 16}"
            ceiling = ("tensor_split" if planes == 2 else "tensor_fp16") if tensor else "fp32"
        elif task in ("norm1", "norm2", "final_layer_norm"):
            bytes_, shape = (4 + size) * rows * D, f"{2 * samples}x{T}x{D}"
        elif task.endswith("adaLN_modulation"):
            n = 2 * D if task.startswith("final") else 6 * D * (28 if float(launches) == 1 else 1)
            bytes_, shape = 4 * D * n, f"{2 * samples}x{n}x{D}"
        if float(launches) >= 1 and bytes_:
            result.append({"name": task, "shape": shape, "ms": float(each), "launches": int(float(launches)),
                           "flop": flop, "bytes": bytes_, "ceiling": ceiling, "variant": "default", "variants": 1})
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["compare", "bench"])
    parser.add_argument("logs", nargs="+", type=pathlib.Path)
    parser.add_argument("--profile", type=pathlib.Path)
    parser.add_argument("--peer", type=pathlib.Path)
    parser.add_argument("--command", required=True, help="what was run")
    parser.add_argument("--note")
    parser.add_argument("--pytorch", default="", help="PyTorch's version")
    parser.add_argument("--tornadovm", default="5.2.0-jdk25", help="TornadoVM's version")
    parser.add_argument("--date", help="as in 2026-11-23T02:14:16Z")
    parser.add_argument("--json", required=True, type=pathlib.Path)
    args = parser.parse_args()
    text = "\n".join(log.read_text() for log in args.logs)
    runs = samplings(text)
    if not runs:
        sys.exit(f"no run of ./dit sample in {args.logs[0]}")
    first = runs[0]
    runs = [run for i, run in enumerate(runs) if run["model"] == first["model"] and run not in runs[:i]]
    changed = datetime.datetime.fromtimestamp(args.logs[0].stat().st_mtime, datetime.timezone.utc)
    record = {
        "format": 1, "kind": args.kind, "date": args.date or changed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": args.command, **({"note": args.note} if args.note else {}), "device": first["device"],
        "devices": 1, "backend": first["backend"], "capability": first["capability"], "driver": first["driver"],
        "tornadovm": args.tornadovm, "pytorch": args.pytorch,
        "options": {"model": first["model"], "image_size": first["image_size"], "batch": first["batch"],
                    "steps": first["steps"], "sampler": first["sampler"], "precision": first["precision"],
                    "weights": "checkpoint"},
    }
    if args.kind == "compare":
        record["engines"] = pytorch(text) + [
            {"name": f"tornado-dit, {run['precision']} ({run['tier'].split(',')[0]})", "ours": True,
             **{key: run[key] for key in ("step_ms", "decode_ms", "seconds")}} for run in runs]
        record["pictures"] = pictures(text)
    else:
        steps = int(first["steps"])
        record["measurements"] = [
            {"name": "step", "ms": first["step_ms"], "repetitions": steps},
            {"name": "vae", "ms": first["decode_ms"], "repetitions": 1},
            {"name": "sampling", "ms": 1e3 * first["seconds"], "repetitions": 1}]
        if args.profile:
            record["kernels"] = kernels(
                args.profile.read_text(), first["precision"], first["batch"], "tensor" in first["tier"])
            record["kernels_by"] = "Tasks of a sampling by TornadoVM's profiler, means over the steps"
        if args.peer:
            rates = [float(rate) for rate in re.findall(r"(?m)^linear\s.*?([\d.]+) TFLOP/s", args.peer.read_text())]
            record["ceilings"] = {"fp32": 1e12 * max(rates)}
            record["ceilings_by"] = "the fastest of PyTorch's linear layers at the model's shapes, in the same call"
    args.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
