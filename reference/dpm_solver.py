# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""DPM-Solver++ (2M) on DiT's schedule, in float64.

Source: Lu et al. 2022 (arXiv:2211.01095), algorithm 2, with the choices that diffusers' DPMSolverMultistepScheduler makes
by default since version 0.26: timesteps "linspace", solver "midpoint", no thresholding, final_sigmas_type "zero", whose
step is of order 1. Written from the paper; make_sampler_references.py measures the distance to diffusers' class.
"""
import math

import numpy as np
import torch

from diffusion import TRAIN_STEPS, linear_betas


def timesteps(steps):
    """Evenly from 999 to 0, without 0; halves are rounded to the even neighbour."""
    return np.linspace(0, TRAIN_STEPS - 1, steps + 1).round()[::-1][:-1].astype(np.int64)


class DpmSolver:
    def __init__(self, steps):
        self.timesteps = timesteps(steps)
        kept = np.cumprod(1.0 - linear_betas(), axis=0)[self.timesteps]
        # After the last step there is no noise left: alpha 1, sigma 0, lambda infinite.
        self.alphas = [math.sqrt(a) for a in kept] + [1.0]
        self.sigmas = [math.sqrt(1 - a) for a in kept] + [0.0]
        self.lambdas = [math.log(a / s) for a, s in zip(self.alphas[:-1], self.sigmas)] + [math.inf]

    @torch.no_grad()
    def sample(self, predict, x, each_step=None):
        """predict(x, t) gives epsilon for x (N, C, H, W) and t (N,). Computes in x's type; nothing is drawn."""
        previous = None
        last = len(self.timesteps) - 1
        for k, t in enumerate(self.timesteps):
            epsilon = predict(x, torch.full((len(x),), int(t), device=x.device))
            data = (x - self.sigmas[k] * epsilon) / self.alphas[k]
            h = self.lambdas[k + 1] - self.lambdas[k]
            direction = data
            if 0 < k < last:
                r = (self.lambdas[k] - self.lambdas[k - 1]) / h
                direction = data + (data - previous) / (2 * r)
            x = self.sigmas[k + 1] / self.sigmas[k] * x + self.alphas[k + 1] * -math.expm1(-h) * direction
            previous = data
            if each_step is not None:
                each_step(k, x)
        return x
