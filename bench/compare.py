# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""PyTorch and this engine on one NVIDIA GPU in one call, one after the other: the same weights, labels and noise.

    python3 bench/compare.py FOLDER [--steps 250] [--json results/NAME.json] [--note TEXT]

With --starts N, whole processes too, N of each, from the shell to the picture: PyTorch's import, reading and sampling
(reference/sample.py) beside ./dit sample, whose first is a start with an empty folder of kept kernels and an empty driver's
cache.

PyTorch runs in strict FP32, TF32, TF32 compiled and FP16; this engine at each of --ours' precisions. Prints times, their
ratios and how near the pictures are to those of strict FP32, and writes all of it for ./dit report. FOLDER gets weights
(3 GB, made once), pictures and logs. Wants torch, torchvision, the built jar and TORNADOVM_HOME. --model, --image-size and
--images are for trying it with less.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = {"strict": "PyTorch, strict FP32", "tf32": "PyTorch, TF32", "tf32-compiled": "PyTorch, TF32, compiled",
         "fp16": "PyTorch, FP16", "fp16-compiled": "PyTorch, FP16, compiled"}


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def run(log, command, **environment):
    """Runs a command, its words to a log and to stderr; returns them."""
    print("$ " + shlex.join(map(str, command)), file=sys.stderr, flush=True)
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, **environment})
    log.write_text(done.stdout)
    if done.returncode:
        sys.exit(f"{command[0]} failed with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def pytorch_command(args, folder, precisions):
    command = [sys.executable, ROOT / "reference/make_xl2.py", "--out", folder, "--steps", args.steps, "--model",
               args.model, "--image-size", args.image_size, "--images", args.images, "--precisions", precisions]
    return command + (["--vae-channels", args.vae_channels] if args.vae_channels else [])


def pytorch_engines(folder):
    """What make_xl2.py measured."""
    times = json.loads((folder / "times.json").read_text())
    return [{"name": NAMES.get(key, "PyTorch, " + key), "key": key, "ours": False, "step_ms": t["step_ms_median"],
             "step_shortest_ms": min(t["step_ms"]), "step_longest_ms": max(t["step_ms"]), "decode_ms": t["decode_ms"],
             "seconds": t["seconds"], "finite": t["finite"]}
            for key, t in times.items() if isinstance(t, dict) and "step_ms_median" in t]


def ours(args, folder, labels, precision):
    if args.tune:
        run(folder / f"tune-{precision}.log", [ROOT / "dit", "autotune", "--model", args.model, "--image-size",
            args.image_size, "--batch", args.images, *args.dit, "--matmul-precision", precision])
    name = "tornado-dit, " + precision
    command = [ROOT / "dit", "sample", "--model", args.model, "--ckpt", folder / "dit.pt", "--vae", folder / "vae",
               "--num-sampling-steps", args.steps, "--class-labels", labels, "--output", folder / f"ours-{precision}.png",
               *args.dit, "--matmul-precision", precision]
    return {"name": name, "key": precision, "ours": True, **times(run(folder / f"ours-{precision}.log", command)),
            "command": "./" + shlex.join(["dit", *map(str, command[1:])])}


def times(text):
    """What ./dit sample says it took."""
    found = re.search(r"steps in ([\d.]+) s, ([\d.]+) ms a step; decoded in ([\d.]+) s", text)
    whole = re.search(r"Average sampling time: ([\d.]+)", text)
    return {"step_ms": float(found[2]), "decode_ms": 1e3 * float(found[3]), "seconds": float(whole[1])}


def whole(name, key, mine, log, command, count, **environment):
    """Times whole processes. Where they say when they were ready for the first step, that too."""
    seconds, ready = [], []
    for _ in range(count):
        begun = time.monotonic()
        words = run(log, command, **environment)
        seconds.append(time.monotonic() - begun)
        found = re.search(r"^ready after ([\d.]+) s|^ +([\d.]+) +ready$", words, re.M)
        ready.append(float(found[1] or found[2]) if found else None)
    return {"name": name, "key": key, "ours": mine, "seconds": seconds, "ready": ready}


def starts(args, folder, labels):
    """Whole processes of both; of ours the first is cold."""
    result = []
    for precision in (p for p in args.pytorch.split(",") if not p.endswith("compiled")):
        result.append(whole(NAMES.get(precision, "PyTorch, " + precision), precision, False,
                            folder / f"start-pytorch-{precision}.log",
                            [sys.executable, ROOT / "reference/sample.py", folder, "--precision", precision, "--model",
                             args.model, "--image-size", args.image_size, "--images", args.images, "--steps",
                             args.steps, "--output", folder / f"start-{precision}.png"], args.starts))
    for precision in args.ours.split(","):
        command = [ROOT / "dit", "sample", "--debug", "--model", args.model, "--ckpt", folder / "dit.pt", "--vae",
                   folder / "vae", "--num-sampling-steps", args.steps, "--class-labels", labels, "--output",
                   folder / f"start-ours-{precision}.png", *args.dit, "--matmul-precision", precision]
        kept = folder.resolve() / f"start-kernels-{precision}"
        shutil.rmtree(kept, ignore_errors=True)
        result.append(whole("tornado-dit, " + precision, precision, True, folder / f"start-ours-{precision}.log",
                            command, args.starts + 1, CUDA_CACHE_PATH=str(kept / "driver"),
                            DIT_JVM_OPTS=os.environ.get("DIT_JVM_OPTS", "") + f" -Ddit.kernels={kept}"))
    return result


def print_starts(result):
    def words(values):
        known = [value for value in values if value is not None]
        return f"{statistics.median(known):.2f}" if known else "-"
    print("\n| whole process | ready for the first step, s | to the picture, s |\n|---|---|---|")
    for each in result:
        if each["ours"]:
            print(f"| {each['name']}, first start | {words(each['ready'][:1])} | {words(each['seconds'][:1])} |")
        later = slice(1, None) if each["ours"] else slice(None)
        name = each["name"] + (", later starts" if each["ours"] else "")
        print(f"| {name} | {words(each['ready'][later])} | {words(each['seconds'][later])} |")


def picture(folder, name, file):
    return judged(folder, name, file)[0]


def judged(folder, name, file):
    """How near a picture is to strict FP32's, None where that cannot be said, and whether it passes the strict gates."""
    command = [ROOT / "dit", "evaluate", folder / "sample-strict.png", folder / file, "--format", "json", "--gates", "strict"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode not in (0, 5):
        return None, "not judged"
    mean = json.loads(done.stdout[done.stdout.index("{"):])["mean"]
    numbers = {key: value for key, value in mean.items() if isinstance(value, (int, float))}
    return {"name": name, **numbers}, "passed" if done.returncode == 0 else "failed"


def surroundings(manifest):
    gpu = output("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader").split("\n")[0].split(", ")
    release = pathlib.Path(os.environ.get("TORNADOVM_HOME", "")) / "etc/tornado.release"
    tornado = re.search(r"^version=(.*)$", release.read_text(), re.M) if release.is_file() else None
    version = re.search(r"tornado-dit (\S+)", output(str(ROOT / "dit"), "--version"))
    return {"project": version[1] if version else "", "device": gpu[0] or "CPU",
            "driver": gpu[1] if len(gpu) > 1 else "", "pytorch": manifest.get("torch", ""),
            "tornadovm": tornado[1].strip() if tornado else ""}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--steps", default="250")
    parser.add_argument("--model", default="DiT-XL/2")
    parser.add_argument("--image-size", default="512")
    parser.add_argument("--images", default="8")
    parser.add_argument("--vae-channels")
    parser.add_argument("--pytorch", default="strict,tf32,tf32-compiled,fp16", help="precisions of PyTorch")
    parser.add_argument("--ours", default="highest,high", help="precisions of this engine")
    parser.add_argument("--dit", type=shlex.split, default=["--device", "tornado", "--devices", "0"],
                        help="options of ./dit: where it runs")
    parser.add_argument("--tune", action="store_true", help="run ./dit autotune before")
    parser.add_argument("--starts", type=int, default=0, help="whole processes of each, timed from the shell")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--note")
    args = parser.parse_args()
    folder = args.folder
    folder.mkdir(parents=True, exist_ok=True)

    started = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    run(folder / "pytorch.log", pytorch_command(args, folder, args.pytorch))
    engines = pytorch_engines(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    labels = ",".join(str(label) for label in manifest["labels"])
    for precision in args.ours.split(","):
        engines.append(ours(args, folder, labels, precision))
    pictures = [found for found in (
        picture(folder, e["name"], f"{'ours' if e['ours'] else 'sample'}-{e['key']}.png")
        for e in engines if e["key"] != "strict") if found]

    record = {
        "format": 1, "kind": "compare", "date": started,
        "command": "python3 bench/compare.py " + shlex.join(sys.argv[1:]),
        **({"note": args.note} if args.note else {}),
        "devices": 1, **surroundings(manifest),
        "options": {"model": args.model, "image_size": int(args.image_size), "batch": int(args.images),
                    "steps": args.steps},
        "engines": engines, "pictures": pictures,
        **({"starts": starts(args, folder, labels)} if args.starts else {}),
    }
    if args.json:
        args.json.write_text(json.dumps(record, indent=2) + "\n")
    print_tables(record)


def print_tables(record):
    options = record["options"]
    print(f"{record['device']}, driver {record['driver']}, PyTorch {record['pytorch']}, TornadoVM {record['tornadovm']}, "
          f"{record['date']}; {options['model']} {options['image_size']}, {options['batch']} images, "
          f"{options['steps']} steps\n")
    print("| engine | step, ms | decode, ms | whole, s |\n|---|---|---|---|")
    for e in record["engines"]:
        print(f"| {e['name']} | {e['step_ms']:.1f} | {e['decode_ms']:.0f} | {e['seconds']:.2f} |")
    for mine in (e for e in record["engines"] if e["ours"]):
        for peer in (e for e in record["engines"] if not e["ours"]):
            print(f"| {mine['name']} / {peer['name']} | " + " | ".join(
                f"{mine[key] / peer[key]:.2f}" for key in ("step_ms", "decode_ms", "seconds")) + " |")
    if record["pictures"]:
        print("\n| picture against strict FP32 | mean absolute difference, 0..255 | PSNR, dB | SSIM |\n|---|---|---|---|")
        for p in record["pictures"]:
            print(f"| {p['name']} | " + " | ".join(
                f"{p[key]:.{digits}f}" if key in p else "-" for key, digits in (("mae", 4), ("psnr", 1), ("ssim", 4)))
                + " |")
    if "starts" in record:
        print_starts(record["starts"])


if __name__ == "__main__":
    main()
