# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Makes data/generation: what inception.py makes of pictures with hashed weights, and measures of small sets of features.

    python3 reference/make_generation_references.py --out reference/data/generation

Tensor number i of the sorted names is filled by the hash of make_metric_references.py: weights of convolutions and of fc are
2 u - 1 times sqrt(6 / fan in), bn.weight and bn.running_var 1 + 0.2 (2 u - 1), everything else 0.1 (2 u - 1).
"""
import argparse
import math
import pathlib

import numpy as np
import torch

import inception
from files import manifest, save_npy

PROGRAM = "reference/make_generation_references.py"


def hashed_uniform(layer, count):
    """The splitmix64 hash of layer and index as uniform doubles in -1..1."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint64) + np.uint64(layer << 32) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return 2 * ((z >> np.uint64(40)).astype(np.float64) * 2.0**-24) - 1


def fill(network):
    state = {name: t for name, t in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    for layer, name in enumerate(sorted(state)):
        tensor = state[name]
        u = hashed_uniform(layer, tensor.numel())
        if tensor.dim() > 1:
            values = u * math.sqrt(6 / tensor[0].numel())
        else:
            values = 1 + 0.2 * u if name.endswith(("bn.weight", "running_var")) else 0.1 * u
        tensor.copy_(torch.from_numpy(values.astype(np.float32)).view_as(tensor))


def pictures(count, seed):
    """Blots of colour, (N, 40, 40, 3) uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:40, 0:40] / 40
    out = np.zeros((count, 40, 40, 3), np.uint8)
    for picture in out:
        for channel in range(3):
            a, b, c, d = rng.uniform(1, 9, 4)
            picture[..., channel] = (127 + 80 * np.sin(a * x + b) * np.cos(c * y + d) + rng.integers(0, 40, (40, 40)))
    return out


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    network = inception.Inception().eval()
    fill(network)
    facts = {}
    features = {}
    for name, count in (("a", 3), ("b", 2)):
        images = pictures(count, ord(name))
        np.savez(args.out / f"{name}.npz", images)
        features[name] = [f.numpy() for f in network(torch.from_numpy(images))]
        for kind, values in zip(("pooled", "spatial", "softmax"), features[name]):
            save_npy(args.out / f"{name}.{kind}.npy", torch.from_numpy(values))
    (pa, sa, _), (pb, sb, qb) = features["a"], features["b"]
    facts["pictures"] = dict(fid=inception.frechet(pa, pb), sfid=inception.frechet(sa, sb),
                             inception_score=inception.inception_score(qb))
    rng = np.random.default_rng(5)
    mix = rng.normal(size=(16, 16))
    reference = (rng.normal(size=(70, 16)) @ mix).astype(np.float32)
    sample = (rng.normal(size=(50, 16)) @ mix * 0.8 + 0.3).astype(np.float32)
    few = sample[:9]
    logits = rng.normal(size=(50, 6)) * 2
    probabilities = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
    for name, values in (("reference", reference), ("sample", sample), ("probabilities", probabilities)):
        save_npy(args.out / f"features.{name}.npy", torch.from_numpy(values))
    precision, recall = inception.precision_recall(reference, sample)
    facts["features"] = dict(fid=inception.frechet(reference, sample), fid_few=inception.frechet(reference, few),
                             precision=precision, recall=recall,
                             inception_score=inception.inception_score(probabilities),
                             inception_score_split_20=inception.inception_score(probabilities, 20))
    manifest(args.out, PROGRAM, "cpu", seed=5, precision="float32 features, float64 measures", **facts)
    print(facts)


if __name__ == "__main__":
    main()
