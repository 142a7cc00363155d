# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Where a step's time goes: device times of every task from TornadoVM's profiler.

    DIT_JVM_OPTS="-Dtornado.profiler=True -Dtornado.log.profiler=True -Dtornado.profiler.dump.dir=prof.json" \\
        ./dit sample --device tornado ... --num-sampling-steps 5
    python3 bench/profile.py prof.json --steps 5 [--samples 8] [--tflops 51] [--step-ms 500]

The first execution of every graph is the engine's warm-up and is left out. FLOP are those of DiT-XL/2 at 512x512; the
ceiling is what cuBLAS reaches in FP32 on an 8192 product of the same device. --step-ms is the step's time without the
profiler, which waits after every task: the difference is the time that the device idles.
"""
import argparse
import collections
import re

T, D, H, M, P = 1024, 1152, 16, 4608, 2


def flop(task, rows):
    products = {"attn_qkv": D * 3 * D, "attn_proj": D * D, "mlp_fc1": D * M, "mlp_fc2": D * M,
                "x_embedder": 16 * D, "final_layer_linear": D * 32}
    if task in products:
        return 2 * rows * products[task]
    if task == "attn":
        return 4 * rows * T * D
    return 0


def graphs(lines):
    """Each execution as (graph, {task: ms}). By indentation: the profiler's objects are not always valid JSON."""
    name, tasks, task = None, {}, None
    for line in lines:
        opened = re.match(r'( +)"([^"]+)": \{', line)
        if opened and len(opened[1]) == 4:
            if name:
                yield name, tasks
            name, tasks, task = opened[2], {}, None
        elif opened:
            task = opened[2]
        elif task and "TASK_KERNEL_TIME" in line:
            tasks[task] = int(re.search(r': "(\d+)"', line)[1]) * 1e-6
    if name:
        yield name, tasks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--tflops", type=float, default=51.0)
    parser.add_argument("--step-ms", type=float)
    args = parser.parse_args()
    rows = 2 * args.samples * T
    seen, times = collections.Counter(), collections.defaultdict(list)
    runs = list(graphs(open(args.file)))
    per_step = sum(name.endswith("block") for name, _ in runs) // (args.steps + 1)
    for name, graph in runs:
        seen[name] += 1
        if seen[name] <= (per_step if name.endswith("_block") else 1):
            continue  # warm-up
        for task, ms in graph.items():
            times["decode" if "_vae_" in name else "step", task.split(".", 1)[1]].append(ms)
    for part in ("step", "decode"):
        count = args.steps if part == "step" else 1
        total = sum(sum(t) for (p, _), t in times.items() if p == part) / count
        if not total:
            continue
        print(f"\n{part}: {total:.1f} ms of kernels" + (
            f", {args.step_ms:.1f} ms by the clock: idle {100 * (1 - total / args.step_ms):.1f} %"
            if part == "step" and args.step_ms else ""))
        print("| task | launches | ms each | ms | share | TFLOP/s | of the ceiling |\n|---|---|---|---|---|---|---|")
        for (p, task), t in sorted(times.items(), key=lambda item: -sum(item[1])):
            if p != part:
                continue
            each, work = sum(t) / len(t), flop(task, rows) if part == "step" else 0
            rate = work / each / 1e9
            print(f"| {task} | {len(t) / count:g} | {each:.4f} | {sum(t) / count:.2f} | "
                  f"{100 * sum(t) / count / total:.1f} % | {f'{rate:.1f}' if work else ''} | "
                  f"{f'{100 * rate / args.tflops:.0f} %' if work else ''} |")


if __name__ == "__main__":
    main()
