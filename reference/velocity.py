# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Samplers of models that predict a velocity: SiT's, REPA's and MeanFlow's.

Sources: N. Ma et al., SiT (arXiv:2401.08740); S. Yu et al., REPA (arXiv:2410.06940); Z. Geng et al., Mean Flows
(arXiv:2505.13447); J. Dormand and P. Prince 1980, as torchdiffeq integrates. Times, directions, the last step and what is
guided are those of the programs published with the papers (willisma/SiT, sihyun-yu/REPA, zhuyu-cs/MeanFlow).

A velocity is a function (x, t) -> v of a batch x and one time. SiT's t goes from 0, noise, to 1, data; REPA's and
MeanFlow's from 1, noise, to 0. Latents and scalars are of x's type; REPA's samplers are called with float64.
"""
import torch

# Dormand and Prince's tableau; mid is Shampine's, for the value in the middle of a step.
DOPRI5_TIMES = (1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
DOPRI5_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
DOPRI5_ERROR = (35 / 384 - 1951 / 21600, 0.0, 500 / 1113 - 22642 / 50085, 125 / 192 - 451 / 720,
                -2187 / 6784 + 12231 / 42400, 11 / 84 - 649 / 6300, -1 / 60)
DOPRI5_MID = (6025192743 / 30085553152 / 2, 0.0, 51252292925 / 65400821598 / 2, -2691868925 / 45128329728 / 2,
              187940372067 / 1594534317056 / 2, -1776094331 / 19743644256 / 2, 11237099 / 235043384 / 2)


def guided(model, labels, scale, channels, low=0.0, high=1.0, noise_time=lambda t: t):
    """v(x, t, at=t): classifier-free guidance on 3 or all channels, only while low <= noise_time(at) <= high.

    ``at`` is the time that decides; Heun's second call has the first one's. Time and x go to the model in its own type.
    """
    kind = next(model.parameters()).dtype
    null = torch.full_like(labels, model.num_classes)
    c = model.in_channels

    def velocity(x, t, at=None):
        times = torch.full((len(x),), float(t), dtype=torch.float64, device=x.device).to(kind)
        given = x.to(kind)
        noise = min(max(float(noise_time(t if at is None else at)), 0.0), 1.0)  # dopri5 looks beyond the end
        if scale == 1 or not low <= noise <= high:
            return model(given, times, labels)[:, :c].to(x.dtype)
        out = model(torch.cat([given, given]), torch.cat([times, times]), torch.cat([labels, null]))[:, :c].to(x.dtype)
        cond, uncond = out.chunk(2)
        v = uncond + scale * (cond - uncond)
        return v if channels == "all" else torch.cat([v[:, :3], cond[:, 3:]], dim=1)

    return velocity


# SiT: x_t = t data + (1 - t) noise, v = data - noise.


def sit_times(points, end=1.0):
    """So many points from 0 to the end: a number of steps N gives N - 1 intervals, as SiT's program counts."""
    return torch.linspace(0, end, points)


def sit_euler(velocity, x, points):
    t = sit_times(points)
    for k in range(points - 1):
        x = x + (t[k + 1] - t[k]).to(x) * velocity(x, t[k])
    return x


def sit_heun(velocity, x, points):
    """The explicit trapezoidal rule; torchdiffeq's heun2."""
    t = sit_times(points)
    for k in range(points - 1):
        dt = (t[k + 1] - t[k]).to(x)
        first = velocity(x, t[k])
        second = velocity(x + dt * first, t[k + 1], at=t[k])
        x = x + dt * (first * 0.5 + second * 0.5)
    return x


def sit_diffusion(t, form="sigma", norm=1.0):
    """w(t) of the SDE, by SiT's names."""
    forms = {
        "constant": lambda: norm * torch.ones_like(t),
        "sigma": lambda: norm * (1 - t),
        "linear": lambda: norm * (1 - t),
        "decreasing": lambda: 0.25 * (norm * torch.cos(torch.pi * t) + 1) ** 2,
        "increasing-decreasing": lambda: norm * torch.sin(torch.pi * t) ** 2,
    }
    return forms[form]()


def sit_score(v, x, t):
    return (t * v - x) / ((1 - t) ** 2 + t * (1 - t))


def sit_sde(velocity, x, points, draw, method="euler", last=0.04, last_step="mean", form="sigma", norm=1.0):
    """Euler-Maruyama or Heun over 0 .. 1 - last in points - 1 steps, then the last step, without noise.

    ``draw()`` gives a step's normals. Last steps: "mean" along the SDE's drift, "tweedie" to the expected data, "euler" along
    the velocity, "none".
    """
    def drift(x, t, at=None):
        v, t = velocity(x, t, at), t.to(x)
        return v + sit_diffusion(t, form, norm) * sit_score(v, x, t)

    last = 0.0 if last_step == "none" else last
    t = sit_times(points, 1 - last)
    dt = (t[1] - t[0]).to(x)
    for k in range(points - 1):
        diffusion = sit_diffusion(t[k].to(x), form, norm)
        spread = torch.sqrt(2 * diffusion) * (draw() * torch.sqrt(dt))
        if method == "euler":
            x = x + drift(x, t[k]) * dt + spread
        else:
            start = x + spread
            first = drift(start, t[k])
            second = drift(start + dt * first, t[k] + (t[1] - t[0]), at=t[k])
            x = start + 0.5 * dt * (first + second)
    end = torch.tensor(1 - last)
    if last_step == "mean":
        return x + drift(x, end) * last
    if last_step == "tweedie":
        v, t = velocity(x, end), end.to(x)
        return x / t + (1 - t) ** 2 / t * sit_score(v, x, t)
    return x + velocity(x, end) * last if last_step == "euler" else x


def dopri5(velocity, x, start=0.0, end=1.0, atol=1e-6, rtol=1e-3):
    """One sample (1, C, H, W), adaptively, as torchdiffeq does: y in x's type, times in float64.

    The last step goes beyond the end, and a polynomial of order 4 gives the value there. Returns it, and counts:
    calls of the velocity, steps taken, steps refused.
    """
    counts = dict(calls=0, taken=0, refused=0)

    def norm(value):
        return float(value.double().pow(2).mean().sqrt())

    def call(t, y):
        counts["calls"] += 1
        return velocity(y, t)

    def combine(weights, slopes, dt):
        return sum(slope * (torch.tensor(w, dtype=torch.float64).to(x) * torch.tensor(dt).to(x))
                   for w, slope in zip(weights, slopes) if w != 0)

    y, t = x, start
    slope = call(t, y)
    scale = atol + y.abs() * rtol
    d0, d1 = norm(y / scale), norm(slope / scale)
    h0 = 1e-6 if d0 < 1e-5 or d1 < 1e-5 else 0.01 * d0 / d1
    d2 = norm((call(t + h0, y + h0 * slope) - slope) / scale) / h0
    h1 = max(1e-6, h0 * 1e-3) if d1 <= 1e-15 and d2 <= 1e-15 else (0.01 / max(d1, d2)) ** (1 / 5)
    dt = min(100 * h0, h1)
    while True:
        slopes = [slope]
        for time, weights in zip(DOPRI5_TIMES, DOPRI5_STAGES):
            after = y + combine(weights, slopes, dt)
            slopes.append(call(t + time * dt, after))
        error = norm(combine(DOPRI5_ERROR, slopes, dt) / (atol + rtol * torch.maximum(y.abs(), after.abs())))
        taken = error <= 1
        counts["taken" if taken else "refused"] += 1
        if taken and t + dt >= end:
            mid = y + combine(DOPRI5_MID, slopes, dt)
            s, f0, f1 = (end - t) / dt, dt * slope, dt * slopes[-1]
            a = 2 * (f1 - f0) - 8 * (after + y) + 16 * mid
            b = 5 * f0 - 3 * f1 + 18 * y + 14 * after - 32 * mid
            c = f1 - 4 * f0 - 11 * y - 5 * after + 16 * mid
            return y + s * f0 + s**2 * c + s**3 * b + s**4 * a, counts
        factor = 10.0 if error == 0 else min(10.0, max(0.9 / error ** (1 / 5), 1.0 if error < 1 else 0.2))
        if taken:
            t, y, slope = t + dt, after, slopes[-1]
        dt *= factor


# REPA: x_t = (1 - t) data + t noise, v = noise - data; latents in float64, the model in float32.


def repa_ode(velocity, x, steps, heun=False):
    t = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    x = x.double()
    for k in range(steps):
        dt = t[k + 1] - t[k]
        first = velocity(x, t[k])
        if heun and k < steps - 1:
            second = velocity(x + dt * first, t[k + 1], at=t[k])
            x = x + dt * (0.5 * first + 0.5 * second)
        else:
            x = x + dt * first
    return x


def repa_sde(velocity, x, steps, draw):
    """Euler-Maruyama with diffusion 2 t: steps - 1 steps from 1 to 0.04, and one to 0, whose noise is left out."""
    t = torch.cat([torch.linspace(1.0, 0.04, steps, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)])
    x = x.double()
    for k in range(steps):
        dt = t[k + 1] - t[k]
        v = velocity(x, t[k])
        score = (-(1 - t[k]) * v - x) / (t[k] ** 2 + (1 - t[k]) * t[k])
        x = x + (v - t[k] * score) * dt
        if k < steps - 1:
            x = x + torch.sqrt(2 * t[k]) * (draw().double() * torch.sqrt(-dt))
    return x


# MeanFlow: u(z_t, r, t) is the mean velocity from r to t, times as REPA's.


def meanflow(model, x, labels, steps, scale=1.0):
    """z_r = z_t - (t - r) u. The second embedder of the published models is given t - r."""
    t = torch.linspace(1, 0, steps + 1)
    null = torch.full_like(labels, model.num_classes)
    for k in range(steps):
        times, interval = torch.full((len(x),), float(t[k])).to(x), torch.full((len(x),), float(t[k] - t[k + 1])).to(x)
        if scale == 1:
            u = model(x, times, labels, interval)
        else:
            out = model(torch.cat([x, x]), torch.cat([times, times]), torch.cat([labels, null]),
                        torch.cat([interval, interval]))
            cond, uncond = out.chunk(2)
            u = uncond + scale * (cond - uncond)
        x = x - (t[k] - t[k + 1]).to(x) * u
    return x
