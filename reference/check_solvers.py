# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Compares solvers.py with diffusers' DPMSolverMultistepScheduler and UniPCMultistepScheduler, step by step.

    python3 reference/check_solvers.py --diffusers PATH/diffusers/src --out reference/data/solvers/check.json

The two schedulers are read from where the user has them; nothing of them is part of this repository. They need torch and
numpy alone: what they import of the rest of diffusers is its handling of configurations, for which a few lines stand in here.
All cases of solvers.py, in float64, on the same noise: ||a - b|| / ||b|| of the step that is farthest off, and whether the
timesteps are equal. The exit code is 1 where a distance exceeds --tolerance. diffusers keeps its levels of noise in float32, ours
are float64: that is the distance to expect, most near the end, where 1 - alphas_cumprod has few digits.
"""
import argparse
import enum
import functools
import importlib
import inspect
import json
import math
import pathlib
import re
import sys
import types

import numpy as np
import torch

from files import save_json
from solvers import CASES, DEVIATION, ELEMENTS, MEAN, TRAIN_STEPS, solver


class Base:
    """The little that schedulers ask of ConfigMixin and SchedulerMixin."""


def register(init):
    signature = inspect.signature(init)

    @functools.wraps(init)
    def with_config(self, *args, **kwargs):
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        values = {name: value for name, value in bound.arguments.items() if name not in ("self", "kwargs")}
        self.config = types.SimpleNamespace(**values)
        self.register_to_config = lambda **more: self.config.__dict__.update(more)
        init(self, *args, **kwargs)

    return with_config


def schedulers(source):
    """The two classes of diffusers' source tree."""
    package = pathlib.Path(source) / "diffusers"

    def module(name, path=None, **content):
        made = types.ModuleType(name)
        made.__dict__.update(content)
        if path is not None:
            made.__path__ = [str(path)]
        sys.modules[name] = made

    module("diffusers", package)
    module("diffusers.schedulers", package / "schedulers")
    module("diffusers.utils", package / "utils", deprecate=lambda *_, **__: None, is_scipy_available=lambda: False)
    module("diffusers.utils.torch_utils", randn_tensor=None)
    module("diffusers.configuration_utils", ConfigMixin=Base, register_to_config=register)
    module("diffusers.schedulers.scheduling_utils", KarrasDiffusionSchedulers=enum.Enum("Kinds", []),
           SchedulerMixin=type("SchedulerMixin", (), {}), SchedulerOutput=types.SimpleNamespace)
    load = importlib.import_module
    version = re.search(r'__version__ = "([^"]+)"', (package / "__init__.py").read_text())
    return (load("diffusers.schedulers.scheduling_dpmsolver_multistep").DPMSolverMultistepScheduler,
            load("diffusers.schedulers.scheduling_unipc_multistep").UniPCMultistepScheduler,
            version[1] if version else "unknown")


def compare(case, theirs_of, noise, normals):
    """Timesteps equal?, the largest distance of a step."""
    name, steps, choices = case
    ours, theirs = solver(name, steps, **choices), theirs_of(name, choices)
    theirs.set_timesteps(steps)
    cumprod = np.cumprod(1.0 - np.linspace(1e-4, 0.02, TRAIN_STEPS, dtype=np.float64))

    def predict(x, t):
        a, s = math.sqrt(cumprod[t]), math.sqrt(1 - cumprod[t])
        return s * (x - a * MEAN) / (a * a * DEVIATION ** 2 + s * s)

    each = []
    ours.sample(predict, noise, lambda k: normals[k], lambda k, x: each.append(x))
    x, farthest = torch.from_numpy(noise), 0.0
    for k, t in enumerate(theirs.timesteps):
        drawn = dict(variance_noise=torch.from_numpy(normals[k])) if name == "dpm++sde" else {}
        x = theirs.step(predict(x, int(t)), t, x, **drawn).prev_sample
        farthest = max(farthest, float(np.linalg.norm(x.numpy() - each[k]) / np.linalg.norm(each[k])))
    return bool(np.array_equal(theirs.timesteps.numpy(), ours.timesteps)), farthest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--diffusers", required=True, help="folder holding the package diffusers")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--tolerance", type=float, default=1e-5)
    args = parser.parse_args()
    dpm, unipc, version = schedulers(args.diffusers)
    random = np.random.default_rng(0)
    noise, normals = random.uniform(-2, 2, (1, ELEMENTS)), random.standard_normal((20, 1, ELEMENTS))
    schedule = dict(num_train_timesteps=TRAIN_STEPS, beta_start=0.0001, beta_end=0.02, beta_schedule="linear",
                    prediction_type="epsilon")

    def theirs_of(name, choices):
        if name == "unipc":
            return unipc(**schedule, **choices)
        return dpm(algorithm_type="sde-dpmsolver++" if name == "dpm++sde" else "dpmsolver++", **schedule, **choices)

    distances, failed = {}, False
    for case in CASES:
        name = "-".join([case[0], str(case[1])] + [str(value) for value in case[2].values()])
        equal, distance = compare(case, theirs_of, noise, normals)
        distances[name] = distance
        failed |= not (equal and distance <= args.tolerance)
        print(f"{name}: timesteps {'equal' if equal else 'DIFFER'}, {distance:.2e}", flush=True)
    if args.out:
        save_json(args.out, dict(diffusers=version, torch=torch.__version__, numpy=np.__version__, timesteps="equal",
                                 tolerance=args.tolerance, distances=distances))
    sys.exit(failed)


if __name__ == "__main__":
    main()
