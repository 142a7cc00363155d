# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Gaussian diffusion as DiT samples it: linear betas, respacing, learned-range variance, DDPM and DDIM steps.

Sources: Ho et al. 2020 (arXiv:2006.11239), Nichol and Dhariwal 2021 (arXiv:2102.09672), Song et al. 2021
(arXiv:2010.02502), and openai/guided-diffusion (MIT), whose tables are float64 and whose step is float32.
"""
import numpy as np
import torch

TRAIN_STEPS = 1000


def linear_betas(steps=TRAIN_STEPS):
    scale = 1000 / steps
    return np.linspace(scale * 0.0001, scale * 0.02, steps, dtype=np.float64)


def space_timesteps(steps, respacing):
    """The timesteps kept of 0..steps-1, ascending: "250", sections "10,15,20", or "ddim50" (an integer stride)."""
    respacing = str(respacing)
    if respacing.startswith("ddim"):
        count = int(respacing[4:])
        for stride in range(1, steps):
            if len(range(0, steps, stride)) == count:
                return list(range(0, steps, stride))
        raise ValueError(f"no integer stride takes {count} of {steps} steps")
    counts = [int(c) for c in respacing.split(",")]
    kept, start = set(), 0
    for i, count in enumerate(counts):
        size = steps // len(counts) + (1 if i < steps % len(counts) else 0)
        if size < count:
            raise ValueError(f"a section of {size} steps has no {count}")
        stride = 1 if count <= 1 else (size - 1) / (count - 1)
        position = 0.0  # accumulated, not multiplied: the rounding must match
        for _ in range(count):
            kept.add(start + round(position))
            position += stride
        start += size
    return sorted(kept)


class Diffusion:
    """Tables of a respaced process, float64, and steps on float32 tensors. Step i counts down to 0."""

    def __init__(self, respacing="250", learn_sigma=True):
        self.learn_sigma = learn_sigma
        self.timestep_map = space_timesteps(TRAIN_STEPS, respacing)
        cumprod = np.cumprod(1.0 - linear_betas(), axis=0)
        betas, last = [], 1.0
        for i in self.timestep_map:
            betas.append(1 - cumprod[i] / last)
            last = cumprod[i]
        self.betas = b = np.array(betas, dtype=np.float64)
        alphas = 1.0 - b
        self.alphas_cumprod = a = np.cumprod(alphas, axis=0)
        self.alphas_cumprod_prev = prev = np.append(1.0, a[:-1])
        self.sqrt_recip_alphas_cumprod = np.sqrt(1.0 / a)
        self.sqrt_recipm1_alphas_cumprod = np.sqrt(1.0 / a - 1)
        self.posterior_variance = b * (1.0 - prev) / (1.0 - a)
        # The variance of the last step is 0; its logarithm is taken from the step before.
        self.posterior_log_variance_clipped = (
            np.log(np.append(self.posterior_variance[1], self.posterior_variance[1:])) if len(b) > 1 else np.array([])
        )
        self.log_betas = np.log(b)
        self.posterior_mean_coef1 = b * np.sqrt(prev) / (1.0 - a)
        self.posterior_mean_coef2 = (1.0 - prev) * np.sqrt(alphas) / (1.0 - a)
        # "fixed large" variance, for models without learn_sigma
        self.fixed_large_log_variance = np.log(np.append(self.posterior_variance[1:2], b[1:]))

    def __len__(self):
        return len(self.timestep_map)

    def tables(self):
        names = ("betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_recip_alphas_cumprod",
                 "sqrt_recipm1_alphas_cumprod", "posterior_variance", "posterior_log_variance_clipped", "log_betas",
                 "posterior_mean_coef1", "posterior_mean_coef2", "fixed_large_log_variance")
        return {"timestep_map": np.array(self.timestep_map, dtype=np.int64), **{n: getattr(self, n) for n in names}}

    def at(self, table, i, x):
        """Entry i of a float64 table as a tensor of x's kind: rounded once, on use."""
        return torch.tensor(table[i], dtype=x.dtype, device=x.device)

    def mean_and_log_variance(self, out, x, i):
        """p(x_{i-1} | x_i) from the model's output: mean, log variance, predicted x_0."""
        channels = x.shape[1]
        if self.learn_sigma:
            eps, fraction = out.split(channels, dim=1)
            fraction = (fraction + 1) / 2
            log_variance = fraction * self.at(self.log_betas, i, x) + (1 - fraction) * self.at(
                self.posterior_log_variance_clipped, i, x)
        else:
            eps = out
            log_variance = self.at(self.fixed_large_log_variance, i, x).expand(x.shape)
        x_start = self.at(self.sqrt_recip_alphas_cumprod, i, x) * x - self.at(
            self.sqrt_recipm1_alphas_cumprod, i, x) * eps
        mean = self.at(self.posterior_mean_coef1, i, x) * x_start + self.at(self.posterior_mean_coef2, i, x) * x
        return mean, log_variance, x_start

    def ddpm_step(self, out, x, i, noise):
        mean, log_variance, _ = self.mean_and_log_variance(out, x, i)
        return mean + (0.0 if i == 0 else 1.0) * torch.exp(0.5 * log_variance) * noise

    def ddim_step(self, out, x, i, noise, eta=0.0):
        _, _, x_start = self.mean_and_log_variance(out, x, i)
        eps = (self.at(self.sqrt_recip_alphas_cumprod, i, x) * x - x_start) / self.at(
            self.sqrt_recipm1_alphas_cumprod, i, x)
        alpha, prev = self.at(self.alphas_cumprod, i, x), self.at(self.alphas_cumprod_prev, i, x)
        sigma = eta * torch.sqrt((1 - prev) / (1 - alpha)) * torch.sqrt(1 - alpha / prev)
        mean = x_start * torch.sqrt(prev) + torch.sqrt(1 - prev - sigma**2) * eps
        return mean + (0.0 if i == 0 else 1.0) * sigma * noise

    @torch.no_grad()
    def sample(self, model, x, sampler="ddpm", each_step=None):
        """Runs all steps from noise x. model(x, t) with t (N,) of the original 0..999.

        Draws one torch.randn_like(x) a step, the last and DDIM's included, as the published sampler does: the
        stream's position after a run is part of what is reproduced.
        """
        step = self.ddpm_step if sampler == "ddpm" else self.ddim_step
        for i in reversed(range(len(self))):
            t = torch.full((len(x),), self.timestep_map[i], device=x.device, dtype=torch.long)
            out = model(x, t)
            x = step(out, x, i, torch.randn_like(x))
            if each_step is not None:
                each_step(i, x)
        return x


def sample_labels(model, labels, latent_size, steps, seed, cfg_scale=4.0, cfg_channels="3", sampler="ddpm",
                  device="cuda", each_step=None):
    """Noise for n labels, denoised: (noise, latents).

    Guided, as the published sample.py runs: the noise doubled for the null class. With a cfg_scale of 1 as sample_ddp.py
    runs: n samples go through the model and n draw noise, so that the stream is another one.
    """
    torch.manual_seed(seed)
    n = len(labels)
    noise = torch.randn(n, model.in_channels, latent_size, latent_size, device=device)
    diffusion = Diffusion(steps, learn_sigma=model.out_channels != model.in_channels)
    if cfg_scale == 1:
        y = torch.tensor(list(labels), device=device)
        return noise, diffusion.sample(lambda x, t: model(x, t, y), noise, sampler, each_step)
    y = torch.tensor(list(labels) + [model.num_classes] * n, device=device)
    x = diffusion.sample(lambda x, t: model.forward_with_cfg(x, t, y, cfg_scale, cfg_channels),
                         torch.cat([noise, noise]), sampler, each_step)
    return noise, x[:n]
