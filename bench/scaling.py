# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""The challenge's run on one, two and four GPUs of one machine, beside PyTorch in the same call.

    python3 bench/scaling.py FOLDER [--devices 1,2,4] [--steps 250] [--ours highest,high] [--json results/NAME] [--note TEXT]

PyTorch runs in strict FP32 and TF32 on the last GPU; meanwhile this engine takes the runs that leave that GPU alone, the
others come after it. Prints times, speed-ups, the challenge's points, memory, imbalance, the gates against PyTorch's strict
picture, and whether latents and pictures are the bits of one GPU's. Writes NAME-compare.json and, for every precision and
number of GPUs, NAME-PRECISION-GPUS.json for ./dit report. FOLDER gets weights (3 GB), pictures and logs. Wants torch,
torchvision, the built jar and TORNADOVM_HOME; --dit, --model and the others are for trying it with less.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import threading
import time

import compare


class Memory(threading.Thread):
    """The most memory in use on each GPU, in MiB, as nvidia-smi tells it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most, self.stopped = {}, threading.Event()

    def run(self):
        while not self.stopped.wait(0.2):
            lines = compare.output("nvidia-smi", "--query-gpu=index,memory.used", "--format=csv,noheader,nounits")
            for line in lines.splitlines():
                index, used = (int(word) for word in line.split(","))
                self.most[index] = max(self.most.get(index, 0), used)

    def stop(self):
        self.stopped.set()
        self.join()
        return self.most


def pytorch(args, folder, gpu):
    """Starts PyTorch on its GPU and returns once the weights are written."""
    command = compare.pytorch_command(args, folder, "strict,tf32")
    log = folder / "pytorch.log"
    process = subprocess.Popen([str(word) for word in command], stdout=log.open("w"), stderr=subprocess.STDOUT,
                               env={**os.environ, "CUDA_VISIBLE_DEVICES": str(gpu), "PYTHONUNBUFFERED": "1"})
    while process.poll() is None and "weights in" not in log.read_text():
        time.sleep(0.2)
    if process.poll():
        sys.exit("PyTorch failed:\n" + log.read_text()[-4000:])
    return process


def ours(args, folder, labels, precision, count):
    name = f"{precision}-{count}"
    where = ["--devices", ",".join(str(i) for i in range(count))] if not args.dit else args.dit(count)
    command = [compare.ROOT / "dit", "sample", "--model", args.model, "--ckpt", folder / "dit.pt", "--vae", folder / "vae",
               "--num-sampling-steps", args.steps, "--class-labels", labels, "--matmul-precision", precision, *where,
               "--output", folder / f"ours-{name}.png", "--save-latents", folder / f"ours-{name}.npy"]
    memory = Memory()
    memory.start()
    text = compare.run(folder / f"ours-{name}.log", command)
    most = memory.stop()
    imbalance = re.search(r"imbalance ([\d.]+) %", text)
    return {"precision": precision, "gpus": count, **compare.times(text),
            "memory_mib": [most[i] for i in range(count) if i in most],
            "imbalance_percent": float(imbalance[1]) if imbalance else 0.0,
            "command": "./" + shlex.join(["dit", *map(str, command[1:])])}


def judge(folder, runs):
    """Adds what the pictures are like."""
    for one in runs:
        file = folder / f"ours-{one['precision']}-{one['gpus']}"
        first = next(r for r in runs if r["precision"] == one["precision"])
        other = folder / f"ours-{first['precision']}-{first['gpus']}"
        one["same_bits"] = all(file.with_suffix(end).read_bytes() == other.with_suffix(end).read_bytes()
                               for end in (".npy", ".png"))
        one["picture"], one["gates"] = compare.judged(folder, "", file.with_suffix(".png").name)
        score = compare.output(str(compare.ROOT / "dit"), "score", str(one["seconds"])).partition("\n")[0]
        one["points"] = re.findall(r"([\d.]+) of", score)  # by the strict rules, by the final ones


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--devices", default="1,2,4", help="numbers of GPUs")
    parser.add_argument("--gpus", type=int, help="GPUs of the machine; PyTorch gets the last")
    parser.add_argument("--steps", default="250")
    parser.add_argument("--ours", default="highest,high", help="precisions of this engine")
    parser.add_argument("--model", default="DiT-XL/2")
    parser.add_argument("--image-size", default="512")
    parser.add_argument("--images", default="8")
    parser.add_argument("--vae-channels")
    parser.add_argument("--dit", type=lambda text: lambda count: shlex.split(text.replace("N", str(count))),
                        help="options of ./dit in place of --devices 0,1 ...; N is the number, as in --dit='--devices cpu:N'")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--note")
    args = parser.parse_args()
    folder = args.folder
    folder.mkdir(parents=True, exist_ok=True)
    counts = [int(count) for count in args.devices.split(",")]
    gpus = args.gpus or len(compare.output("nvidia-smi", "--list-gpus").splitlines()) or 1

    started = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    peer = pytorch(args, folder, gpus - 1)
    labels = ",".join(str(label) for label in [207, 360, 387, 974, 88, 979, 417, 279][:int(args.images)])
    todo = [(precision, count) for precision in args.ours.split(",") for count in counts]
    todo.sort(key=lambda one: one[1] >= gpus)  # stable: those that want PyTorch's GPU come last
    runs = []
    for precision, count in todo:
        if count >= gpus and peer.wait():
            sys.exit("PyTorch failed:\n" + (folder / "pytorch.log").read_text()[-4000:])
        runs.append(ours(args, folder, labels, precision, count))
    if peer.wait():
        sys.exit("PyTorch failed:\n" + (folder / "pytorch.log").read_text()[-4000:])
    runs.sort(key=lambda one: (args.ours.split(",").index(one["precision"]), one["gpus"]))
    judge(folder, runs)
    record(args, folder, started, runs)


def record(args, folder, started, runs):
    manifest = json.loads((folder / "manifest.json").read_text())
    engines = compare.pytorch_engines(folder)
    common = {"format": 1, "date": started, "command": "python3 bench/scaling.py " + shlex.join(sys.argv[1:]),
              **({"note": args.note} if args.note else {}), **compare.surroundings(manifest)}
    options = {"model": args.model, "image_size": int(args.image_size), "batch": int(args.images), "steps": args.steps}
    if args.json:
        alone = [{"name": "tornado-dit, " + one["precision"], "ours": True, **one} for one in runs if one["gpus"] == 1]
        pictures = [found for found in [compare.picture(folder, compare.NAMES["tf32"], "sample-tf32.png")] if found]
        pictures += [{**one["picture"], "name": "tornado-dit, " + one["precision"]}
                     for one in runs if one["gpus"] == 1 and one["picture"]]
        write(args, "compare", {**common, "kind": "compare", "devices": 1, "options": options,
                                "engines": engines + alone, "pictures": pictures})
        for one in runs:
            write(args, f"{one['precision']}-{one['gpus']}", {
                **common, "kind": "bench", "devices": one["gpus"], "options": {**options, "precision": one["precision"]},
                "measurements": [{"name": "step", "ms": one["step_ms"]}, {"name": "vae", "ms": one["decode_ms"]},
                                 {"name": "sampling", "ms": 1e3 * one["seconds"]}],
                **{key: one[key] for key in ("memory_mib", "imbalance_percent", "same_bits", "gates", "points", "picture")}})
    print(f"{common['device']}, driver {common['driver']}, PyTorch {common['pytorch']}, TornadoVM {common['tornadovm']}, "
          f"{started}; {args.model} {args.image_size}, {args.images} images, {args.steps} steps\n")
    print("| engine | GPUs | step, ms | decode, ms | whole, s | of one GPU | of strict | of TF32 | MAE | PSNR, dB | gates | "
          "bits of one GPU | memory, MiB | imbalance, % | points |\n|" + "---|" * 15)
    by_key = {e["key"]: e["seconds"] for e in engines}
    for e in engines:
        print(f"| {e['name']} | 1 | {e['step_ms']:.1f} | {e['decode_ms']:.0f} | {e['seconds']:.2f} |" + " |" * 10)
    for one in runs:
        first = next(r for r in runs if r["precision"] == one["precision"])
        p = one["picture"] or {}
        print(f"| tornado-dit, {one['precision']} | {one['gpus']} | {one['step_ms']:.1f} | {one['decode_ms']:.0f} | "
              f"{one['seconds']:.2f} | {first['seconds'] / one['seconds']:.2f} x | {one['seconds'] / by_key['strict']:.3f} | "
              f"{one['seconds'] / by_key['tf32']:.3f} | {p.get('mae', float('nan')):.4f} | {p.get('psnr', float('nan')):.1f} | "
              f"{one['gates']} | {'same' if one['same_bits'] else 'DIFFER'} | {' '.join(map(str, one['memory_mib']))} | "
              f"{one['imbalance_percent']} | {' '.join(one['points'])} |")


def write(args, what, data):
    file = args.json.with_name(args.json.name + f"-{what}.json")
    file.write_text(json.dumps(data, indent=2) + "\n")


if __name__ == "__main__":
    main()
