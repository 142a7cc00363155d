# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""The table of bench/compare.sh: this engine's times beside PyTorch's of the same call.

    python3 bench/table.py FOLDER STEPS
"""
import json
import pathlib
import re
import sys


def main():
    folder, steps = pathlib.Path(sys.argv[1]), sys.argv[2]
    times = json.loads((folder / "times.json").read_text())
    log = (folder / "ours-1.log").read_text()
    found = re.search(r"steps in ([\d.]+) s, ([\d.]+) ms a step; decoded in ([\d.]+) s", log)
    step, decode = float(found[2]), 1e3 * float(found[3])
    whole = float(re.search(r"Average sampling time: ([\d.]+)", log)[1])
    rows = [(name, t["step_ms_median"], t["decode_ms"], t["seconds"])
            for name, t in times.items() if isinstance(t, dict) and "step_ms_median" in t]
    print(f"{(folder / 'device.txt').read_text().strip()}; DiT-XL/2 512x512, 8 labels, guidance, {steps} steps\n")
    print("| engine | step, ms | decode of 8, ms | whole, s |")
    print("|---|---|---|---|")
    for name, s, d, w in rows:
        print(f"| PyTorch {name} | {s:.1f} | {d:.0f} | {w:.2f} |")
    print(f"| tornado-dit | {step:.1f} | {decode:.0f} | {whole:.2f} |")
    for name, s, d, w in rows:
        print(f"| ours / {name} | {step / s:.2f} | {decode / d:.2f} | {whole / w:.2f} |")
    memory = [line.split(",") for line in (folder / "memory.csv").read_text().splitlines() if "," in line]
    if memory:
        print(f"\nLargest memory in use on the device: {max(int(m[0]) for m in memory) / 1024:.2f} GiB; "
              f"busy {sum(int(m[1]) for m in memory if int(m[0]) > 4000) / max(1, sum(int(m[0]) > 4000 for m in memory)):.0f} %"
              " of the samples with the model loaded (loading and compiling included)")


if __name__ == "__main__":
    main()
