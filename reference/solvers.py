# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Multistep solvers on DiT's schedule, coefficients in float64: DPM-Solver++ (2M), for the ODE and the SDE, and UniPC.

Sources: Lu et al. 2022 (arXiv:2211.01095) and Zhao et al. 2023 (arXiv:2302.04867), with the choices that diffusers'
DPMSolverMultistepScheduler and UniPCMultistepScheduler make, under their names: timestep_spacing, solver_order, solver_type,
final_sigmas_type; no thresholding, lower_order_final. Written from the papers; make_sampler_references.py measures the
distance to diffusers' classes where diffusers is installed.

Needs numpy alone, and takes torch's tensors as well. Run by itself it makes data/solvers: runs on data that is a Gaussian,
whose denoiser is known in closed form.

    python3 reference/solvers.py --out reference/data
"""
import argparse
import datetime
import json
import math
import pathlib

import numpy as np

TRAIN_STEPS = 1000


def timesteps(steps, spacing="linspace"):
    """The timesteps that the denoiser is asked at, descending. numpy rounds halves to the even neighbour."""
    if spacing == "linspace":
        return np.linspace(0, TRAIN_STEPS - 1, steps + 1).round()[::-1][:-1].astype(np.int64)
    if spacing == "leading":
        return (np.arange(0, steps + 1) * (TRAIN_STEPS // (steps + 1))).round()[::-1][:-1].astype(np.int64)
    return np.arange(TRAIN_STEPS, 0, -TRAIN_STEPS / steps).round().astype(np.int64)[:steps] - 1


class Solver:
    """Levels of noise: alphas, sigmas and lambdas of each step, and of the end behind them."""

    draws = False

    def __init__(self, steps, timestep_spacing="linspace", solver_order=2, final_sigmas_type="zero"):
        self.order = solver_order
        self.ends_clean = final_sigmas_type == "zero"
        self.timesteps = timesteps(steps, timestep_spacing)
        cumprod = np.cumprod(1.0 - np.linspace(1e-4, 0.02, TRAIN_STEPS, dtype=np.float64))
        kept = [float(a) for a in cumprod[self.timesteps]] + ([] if self.ends_clean else [float(cumprod[0])])
        self.alphas = [math.sqrt(a) for a in kept]
        self.sigmas = [math.sqrt(1 - a) for a in kept]
        self.lambdas = [math.log(a / s) for a, s in zip(self.alphas, self.sigmas)]
        if self.ends_clean:  # no noise is left: alpha 1, sigma 0, lambda infinite
            self.alphas, self.sigmas, self.lambdas = self.alphas + [1.0], self.sigmas + [0.0], self.lambdas + [math.inf]

    def __len__(self):
        return len(self.timesteps)

    def data(self, k, x, epsilon):
        return (x - self.sigmas[k] * epsilon) / self.alphas[k]

    def sample(self, predict, x, draw=None, each_step=None):
        """predict(x, t) gives epsilon; draw(k) normals like x, asked for in each step of a solver that draws."""
        self.estimates = []
        for k, t in enumerate(self.timesteps):
            x = self.step(k, x, self.data(k, x, predict(x, int(t))), draw(k) if self.draws else None)
            if each_step is not None:
                each_step(k, x)
        return x


class DpmSolver(Solver):
    def __init__(self, steps, sde=False, solver_type="midpoint", **choices):
        super().__init__(steps, **choices)
        self.draws = sde
        self.heun = solver_type == "heun"

    def step(self, k, x, data, z):
        alpha, sigma, h = self.alphas[k + 1], self.sigmas[k + 1], self.lambdas[k + 1] - self.lambdas[k]
        twice = 2 if self.draws else 1
        decay = -math.expm1(-twice * h)
        result = sigma / self.sigmas[k] * (math.exp(-h) if self.draws else 1.0) * x + alpha * decay * data
        lower_at_the_end = k == len(self) - 1 and (self.ends_clean or len(self) < 15)
        if self.order == 2 and k > 0 and not lower_at_the_end:
            r = (self.lambdas[k] - self.lambdas[k - 1]) / h
            weight = alpha * (1 - decay / (twice * h)) if self.heun else alpha * decay / 2
            result = result + weight / r * (data - self.estimates[-1])
        if self.draws:
            result = result + sigma * math.sqrt(-math.expm1(-2 * h)) * z
        self.estimates.append(data)
        return result


class UniPc(Solver):
    def __init__(self, steps, solver_type="bh2", **choices):
        super().__init__(steps, **choices)
        self.bh1 = solver_type == "bh1"

    def towards(self, k, x, order, next_data):
        """From level k to the next: predicted, or, where the estimate there is known, corrected."""
        alpha, h = self.alphas[k + 1], self.lambdas[k + 1] - self.lambdas[k]
        m = self.estimates[k]
        b = -h if self.bh1 else math.expm1(-h)
        result = self.sigmas[k + 1] / self.sigmas[k] * x - alpha * math.expm1(-h) * m
        ratios = [(self.lambdas[k - i] - self.lambdas[k]) / h for i in range(1, order)]
        differences = [(self.estimates[k - i] - m) / r for i, r in enumerate(ratios, 1)]
        if next_data is None:
            rhos = [0.5] * len(differences)  # the paper's and diffusers' value for order 2
        elif order == 1:
            rhos, differences = [0.5], [next_data - m]
        else:
            matrix = [[r ** i for r in ratios + [1.0]] for i in range(order)]
            phi, factorial, right = math.expm1(-h) / -h - 1, 1, []
            for i in range(1, order + 1):
                right.append(phi * factorial / b)
                factorial *= i + 1
                phi = phi / -h - 1 / factorial
            rhos = [float(rho) for rho in np.linalg.solve(np.array(matrix), np.array(right))]
            differences = differences + [next_data - m]
        for rho, difference in zip(rhos, differences):
            result = result - alpha * b * rho * difference
        return result

    def step(self, k, x, data, z):
        self.estimates.append(data)
        if k > 0:
            x = self.towards(k - 1, self.corrected, self.reached, data)
        self.corrected = x
        self.reached = min(self.order, len(self) - k, k + 1)
        return self.towards(k, x, self.reached, None)


def solver(name, steps, **choices):
    """By the command line's name."""
    if name == "unipc":
        return UniPc(steps, **choices)
    return DpmSolver(steps, sde=name == "dpm++sde", **choices)


MEAN, DEVIATION, ELEMENTS = 0.8, 0.3, 16

#: sampler, steps, choices
CASES = [(name, steps, dict(timestep_spacing=spacing))
         for name in ("dpm++", "dpm++sde", "unipc") for steps in (4, 10, 20)
         for spacing in ("linspace", "leading", "trailing")] + [
    ("dpm++", 20, dict(solver_type="heun")), ("dpm++sde", 12, dict(solver_type="heun")),
    ("unipc", 12, dict(solver_type="bh1")),
] + [(name, steps, dict(final_sigmas_type="sigma_min"))
     for name in ("dpm++", "dpm++sde", "unipc") for steps in (12, 16)] + [
    (name, 8, dict(solver_order=1)) for name in ("dpm++", "dpm++sde", "unipc")]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    folder = parser.parse_args().out / "solvers"
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    noise = random.uniform(-2, 2, ELEMENTS).astype(np.float32)
    normals = random.standard_normal((20, ELEMENTS)).astype(np.float32)
    cumprod = np.cumprod(1.0 - np.linspace(1e-4, 0.02, TRAIN_STEPS, dtype=np.float64))

    def predict(x, t):
        """The best prediction of epsilon where data is normal."""
        a, s = math.sqrt(cumprod[t]), math.sqrt(1 - cumprod[t])
        return s * (x - a * MEAN) / (a * a * DEVIATION ** 2 + s * s)

    arrays, cases = dict(noise=noise, normals=normals), []
    for name, steps, choices in CASES:
        run, each = solver(name, steps, **choices), []
        run.sample(predict, noise.astype(np.float64), lambda k: normals[k].astype(np.float64), lambda k, x: each.append(x))
        case = "-".join([name, str(steps)] + [str(value) for value in choices.values()])
        arrays[case] = np.stack(each)
        arrays[f"{case}.timesteps"] = run.timesteps
        cases.append(dict(case=case, sampler=name, steps=steps, **choices))
        print(f"{case}: mean {each[-1].mean():.4f}, deviation {each[-1].std():.4f}")
    np.savez_compressed(folder / "runs.npz", **arrays)
    (folder / "manifest.json").write_text(json.dumps(dict(
        program="reference/solvers.py", numpy=np.__version__, device="cpu", date=datetime.date.today().isoformat(), seed=0,
        mean=MEAN, deviation=DEVIATION, precision="float64", order="runs.npz[case][k] is x after the k-th step taken",
        cases=cases), indent=1) + "\n")


if __name__ == "__main__":
    main()
