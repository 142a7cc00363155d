# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Makes data/objectives: tiny SiT, REPA, MeanFlow and DiT models, and what their samplers make of them.

    python3 reference/make_objective_references.py --out reference/data/objectives [--device cuda]
        [--sit DIR] [--repa DIR] [--meanflow DIR] [--only RUN,...]

The noise is that of PyTorch's CPU generator with seed 0, so that a GPU is not needed. Where torchdiffeq is installed, it
integrates SiT's ODEs, and the manifest has its distance to velocity.py. With copies of willisma/SiT, sihyun-yu/REPA or
zhuyu-cs/MeanFlow (and timm), their models and samplers are run on the same weights and noise; check.json has the distances.
Every run is compared with itself in float64, model and sampler. With torchvision, vae-tiny decodes those of PICTURES.
"""
import argparse
import collections
import copy
import functools
import importlib
import importlib.util
import json
import pathlib
import sys

import torch

import velocity
from diffusion import Diffusion
from dit import DiT, strict_float32
from files import manifest, save_grid, save_json, save_npy, save_safetensors
from make_references import distance, tiny_vae

PROGRAM = "reference/make_objective_references.py"
LABELS = [0, 3, 5, 1]
SEED = 0

#: name -> (configuration, seed of the weights, kind of file)
MODELS = {
    "sit": (dict(hidden_size=32, depth=2, num_heads=4), 41, "bare"),
    "sit-4-channels": (dict(hidden_size=32, depth=2, num_heads=2, learn_sigma=False), 42, "training"),
    "repa": (dict(hidden_size=32, depth=2, num_heads=2, learn_sigma=False), 43, "projectors"),
    "repa-qk-norm": (dict(hidden_size=32, depth=2, num_heads=2, learn_sigma=False, qk_norm=True), 44, "projectors"),
    "repa-older": (dict(hidden_size=16, depth=10, num_heads=2, learn_sigma=False), 45, "older"),
    "meanflow": (dict(hidden_size=32, depth=2, num_heads=2, learn_sigma=False, r_embedder=True), 46, "training"),
    "dit": (dict(hidden_size=32, depth=2, num_heads=2), 47, "safetensors"),
}


def make_model(name):
    """Weights are what float16 holds, so that files are half as large and computed with as they are."""
    config, seed, _ = MODELS[name]
    config = dict(input_size=8, patch_size=2, num_classes=6, **config)
    model = DiT(**config).randomize(seed, modulation=0.2)
    if name == "dit":
        model.damp()
    frequencies, positions = model.t_embedder.frequencies.clone(), model.pos_embed.data.clone()
    model.half().float()
    model.pos_embed.data.copy_(positions)
    for embedder in (model.t_embedder, model.r_embedder):
        if embedder is not None:
            embedder.frequencies.copy_(frequencies)
    return model.eval()


def stored(model):
    return collections.OrderedDict(
        (n, t.cpu().clone() if n == "pos_embed" else t.cpu().half()) for n, t in model.state_dict().items())


def save_model(model, kind, folder):
    folder.mkdir(parents=True, exist_ok=True)
    save_json(folder / "config.json", model.config)
    state = stored(model)
    if kind == "safetensors":
        return save_safetensors(state, folder / "checkpoint.safetensors", {"format": "pt"})
    if kind in ("projectors", "older"):  # what REPA trains beside the model
        generator = torch.Generator().manual_seed(9)
        for layer, (rows, columns) in {0: (12, 32), 2: (12, 12), 4: (8, 12)}.items():
            state[f"projectors.0.{layer}.weight"] = torch.randn(rows, columns, generator=generator).half()
            state[f"projectors.0.{layer}.bias"] = torch.randn(rows, generator=generator).half()
    if kind == "older":
        def rename(key):
            parts = key.split(".")
            if parts[0] == "blocks" and int(parts[1]) >= 8:
                return ".".join(["decoder_blocks", str(int(parts[1]) - 8), *parts[2:]])
            return key
        state = collections.OrderedDict((rename(n), t) for n, t in state.items())
    if kind != "bare":
        # "ema" is right; the first model's "model" is off by one, the others have none, to be small.
        other = collections.OrderedDict((n, t + 1) for n, t in state.items() if model.r_embedder is None)
        other = other if kind == "training" else collections.OrderedDict()
        state = {"model": other, "ema": state, "opt": {}, "args": argparse.Namespace(model="custom"), "steps": 7}
    torch.save(state, folder / "checkpoint.pt")


class Draws:
    """torch.randn's CPU stream from the seed on, call by call: the start, then a step's."""

    def __init__(self, n, device, doubled):
        self.generator = torch.Generator().manual_seed(SEED)
        self.n, self.device, self.doubled = n, device, doubled

    def start(self):
        return torch.randn(self.n, 4, 8, 8, generator=self.generator).to(self.device)

    def __call__(self):
        """SiT's guided batch draws for both halves and keeps the first."""
        rows = 2 * self.n if self.doubled else self.n
        return torch.randn(rows, 4, 8, 8, generator=self.generator)[:self.n].to(self.device)


def sit_run(model, sampler, points, scale, channels, low, high, device, solver=None, **choices):
    labels = torch.tensor(LABELS, device=device)
    kind = next(model.parameters()).dtype
    guidance = functools.partial(velocity.guided, model, scale=scale, channels=channels, low=low, high=high,
                                 noise_time=lambda t: 1 - t)
    draws = Draws(len(LABELS), device, scale != 1)
    x = draws.start().to(kind)
    if sampler == "dopri5":
        results, counts = [], []
        for i in range(len(LABELS)):
            v = guidance(labels[i:i + 1])
            # Each by itself: the step that all of a batch would share makes a picture depend on its neighbours.
            if solver is None:
                result, count = velocity.dopri5(v, x[i:i + 1], **choices)
                counts.append(count)
            else:
                result = solver(lambda t, y: v(y, t), x[i:i + 1], torch.linspace(0, 1, points, device=device),
                                method="dopri5", atol=[choices.get("atol", 1e-6)], rtol=[choices.get("rtol", 1e-3)])[-1]
            results.append(result)
        return torch.cat(results), counts
    v = guidance(labels)
    if solver is not None:
        name = {"euler": "euler", "heun": "heun2"}[sampler]
        # No interval here: a solver does not say which call is a step's second.
        return solver(lambda t, y: v(y, t), x, torch.linspace(0, 1, points, device=device), method=name)[-1], None
    if sampler in ("euler", "heun"):
        integrate = velocity.sit_euler if sampler == "euler" else velocity.sit_heun
        return integrate(v, x, points), None
    method = {"euler-maruyama": "euler", "heun-sde": "heun"}[sampler]
    return velocity.sit_sde(v, x, points, lambda: draws().to(kind), method, **choices), None


def repa_run(model, sampler, steps, scale, channels, low, high, device):
    labels = torch.tensor(LABELS, device=device)
    draws = Draws(len(LABELS), device, False)
    x = draws.start()
    v = velocity.guided(model, labels, scale, channels, low, high)
    if sampler == "euler-maruyama":
        return velocity.repa_sde(v, x, steps, draws)
    return velocity.repa_ode(v, x, steps, sampler == "heun")


def meanflow_run(model, steps, scale, device):
    labels = torch.tensor(LABELS, device=device)
    x = Draws(len(LABELS), device, False).start().to(next(model.parameters()).dtype)
    return velocity.meanflow(model, x, labels, steps, scale)


def dit_run(model, sampler, steps, scale, channels, low, high, device):
    """Guidance only while low <= timestep / 1000 <= high; noise is drawn for both halves all the time."""
    labels = torch.tensor(LABELS, device=device)
    kind, n = next(model.parameters()).dtype, len(LABELS)
    draws, diffusion = Draws(n, device, True), Diffusion(str(steps))
    both = torch.cat([labels, torch.full_like(labels, model.num_classes)])
    x = draws.start().to(kind)
    take = diffusion.ddpm_step if sampler == "ddpm" else diffusion.ddim_step
    for i in reversed(range(len(diffusion))):
        time = diffusion.timestep_map[i]
        t = torch.full((n,), time, device=device)
        if low <= time / 1000 <= high:
            out = model.forward_with_cfg(torch.cat([x, x]), torch.cat([t, t]), both, scale, channels)[:n]
        else:
            out = model(x, t, labels)
        x = take(out, x, i, draws().to(kind))
    return x


#: folder -> (model, sampler, steps, scale, channels, low, high)
RUNS = {
    "sit/euler-3": ("sit", "euler", 11, 4.0, "3", 0, 1),
    "sit/euler-unguided": ("sit", "euler", 11, 1.0, "3", 0, 1),
    "sit/euler-interval": ("sit", "euler", 11, 4.0, "all", 0.25, 0.75),
    "sit/heun-3": ("sit", "heun", 11, 4.0, "3", 0, 1),
    "sit/dopri5-3": ("sit", "dopri5", 11, 4.0, "3", 0, 1),
    "sit/dopri5-interval": ("sit", "dopri5", 11, 4.0, "all", 0.25, 0.75),
    "sit/dopri5-unguided": ("sit", "dopri5", 11, 1.0, "3", 0, 1),
    "sit/euler-maruyama-3": ("sit", "euler-maruyama", 11, 4.0, "3", 0, 1),
    "sit/euler-maruyama-unguided": ("sit", "euler-maruyama", 11, 1.0, "3", 0, 1),
    "sit/heun-sde-3": ("sit", "heun-sde", 11, 4.0, "3", 0, 1),
    "sit-4-channels/euler-3": ("sit-4-channels", "euler", 11, 4.0, "3", 0, 1),
    "sit-4-channels/euler-maruyama-all": ("sit-4-channels", "euler-maruyama", 11, 4.0, "all", 0, 1),
    "repa/euler-interval": ("repa", "euler", 10, 1.8, "all", 0, 0.7),
    "repa/heun-interval": ("repa", "heun", 10, 1.8, "all", 0, 0.7),
    "repa/euler-maruyama-interval": ("repa", "euler-maruyama", 10, 1.8, "all", 0, 0.7),
    "repa/euler-maruyama-all": ("repa", "euler-maruyama", 10, 1.8, "all", 0, 1),
    "repa-qk-norm/euler-maruyama-interval": ("repa-qk-norm", "euler-maruyama", 10, 1.8, "all", 0, 0.7),
    "repa-older/euler-interval": ("repa-older", "euler", 10, 1.8, "all", 0, 0.7),
    "meanflow/1-step": ("meanflow", "meanflow", 1, 1.0, "all", 0, 1),
    "meanflow/2-steps": ("meanflow", "meanflow", 2, 1.0, "all", 0, 1),
    "meanflow/4-steps-guided": ("meanflow", "meanflow", 4, 2.0, "all", 0, 1),
    "dit/ddpm-interval": ("dit", "ddpm", 10, 4.0, "3", 0.2, 0.7),
    "dit/ddim-interval": ("dit", "ddim", 10, 4.0, "3", 0.2, 0.7),
}

#: What differs from the defaults of SiT's program, by the names of velocity.py.
CHOICES = {
    "sit/dopri5-tight": dict(rtol=1e-5),
    "sit/euler-maruyama-tweedie": dict(last_step="tweedie"),
    "sit/euler-maruyama-last-euler": dict(last_step="euler", last=0.1),
    "sit/euler-maruyama-no-last": dict(last_step="none"),
    "sit/euler-maruyama-constant": dict(form="constant", norm=0.5),
    "sit/euler-maruyama-decreasing": dict(form="decreasing"),
    "sit/heun-sde-increasing-decreasing": dict(form="increasing-decreasing", norm=2.0, last_step="euler"),
}
for name in CHOICES:
    sampler = next(s for s in ("dopri5", "euler-maruyama", "heun-sde") if name[4:].startswith(s))
    RUNS[name] = ("sit", sampler, 11, 4.0, "3", 0, 1)

PICTURES = ("sit/euler-maruyama-3", "repa/euler-maruyama-interval", "meanflow/1-step", "dit/ddpm-interval")


def run(model, name, device):
    kind, sampler, steps, scale, channels, low, high = RUNS[name]
    if kind.startswith("sit"):
        return sit_run(model, sampler, steps, scale, channels, low, high, device, **CHOICES.get(name, {}))
    if kind.startswith("repa"):
        return repa_run(model, sampler, steps, scale, channels, low, high, device), None
    if kind == "meanflow":
        return meanflow_run(model, steps, scale, device), None
    return dit_run(model, sampler, steps, scale, channels, low, high, device), None


def forward_inputs(model, device):
    """Three images at times of the model's own kind, the null class among the labels."""
    generator = torch.Generator().manual_seed(8)
    x = torch.randn(3, 4, 8, 8, generator=generator)
    t = torch.tensor([999.0, 0.0, 417.0]) if model is None else torch.tensor([1.0, 0.0, 0.37])
    y = torch.tensor([1, 6, 3])
    return x.to(device), t.to(device), y.to(device)


@torch.no_grad()
def make_model_folder(name, root, device):
    model = make_model(name)
    save_model(model, MODELS[name][2], root / name)
    model.to(device)
    x, t, y = forward_inputs(None if name == "dit" else model, device)
    interval = torch.tensor([1.0, 0.0, 0.2], device=device) if model.r_embedder is not None else None
    exact_model = copy.deepcopy(model).double()
    output = model(x, t, y, interval)
    exact = exact_model(x.double(), t.double() if name != "dit" else t, y,
                        None if interval is None else interval.double())
    for key, value in (("x", x), ("t", t), ("y", y.int()), ("interval", interval)):
        if value is not None:
            save_npy(root / name / f"input.{key}.npy", value)
    save_npy(root / name / "output.npy", output)
    save_npy(root / name / "output_float64.npy", exact)
    manifest(root / name, PROGRAM, device, seed=MODELS[name][1], config=model.config, checkpoint=MODELS[name][2],
             precision="float32, no TF32, explicit attention", float64_distance={"output": distance(output, exact)})
    return model, exact_model


@torch.no_grad()
def make_run_folder(name, model, exact_model, root, device, solver):
    folder = root / name
    latents, counts = run(model, name, device)
    exact, exact_counts = run(exact_model, name, device)
    kind, sampler, points, scale, channels, low, high = RUNS[name]
    facts = {}
    if counts:
        facts.update(counts=counts, float64_counts=exact_counts)
    own = latents
    if solver is not None and kind.startswith("sit") and sampler in ("euler", "heun", "dopri5") and (low, high) == (0, 1):
        import torchdiffeq

        latents, _ = sit_run(model, sampler, points, scale, channels, low, high, device, solver=solver,
                             **CHOICES.get(name, {}))
        facts.update(solver="torchdiffeq " + torchdiffeq.__version__, distance_to_velocity_py=distance(own, latents))
    save_npy(folder / "noise.npy", Draws(len(LABELS), "cpu", False).start())
    save_npy(folder / "latents.npy", latents.float())
    save_npy(folder / "latents_float64.npy", exact.double())
    if name in PICTURES and importlib.util.find_spec("torchvision") is not None:
        vae = tiny_vae().to(device)
        save_grid(vae.decode(latents.float() / vae.scaling_factor), folder / "sample.png")
    manifest(folder, PROGRAM, device, seed=SEED, rng="cpu", labels=LABELS, model=kind, sampler=sampler, steps=points,
             cfg_scale=scale, cfg_channels=channels, guidance_low=low, guidance_high=high,
             precision="float32, no TF32, explicit attention", float64_distance=distance(latents, exact),
             latents_std=float(latents.std()), choices=CHOICES.get(name, {}), **facts)
    print(f"{name}: to float64 {distance(latents, exact):.2e}, std {float(latents.std()):.2f} {facts}", flush=True)


def original(folder, module):
    """A module of another project's, from its own folder."""
    sys.path.insert(0, str(folder))
    try:
        for known in [n for n in sys.modules if n.split(".")[0] in ("models", "transport", "samplers", "sit", "utils")]:
            del sys.modules[known]
        return importlib.import_module(module)
    finally:
        sys.path.pop(0)


def strictly(module):
    """Attention as explicit products."""
    for part in module.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = False
    return module.eval()


@torch.no_grad()
def check_sit(folder, device):
    """Its model's forward pass and samplers; SDEs draw from the CPU's default generator."""
    results = {}
    models, transport = original(folder, "models"), original(folder, "transport")
    for name in ("sit", "sit-4-channels"):
        own = make_model(name).to(device)
        config = dict(own.config)
        theirs = strictly(models.SiT(**config)).to(device)
        theirs.load_state_dict(own.state_dict())
        x, t, y = forward_inputs(own, device)
        results[f"{name}.forward"] = distance(own(x, t, y)[:, :4], theirs(x, t, y))
        n, labels = len(LABELS), torch.tensor(LABELS, device=device)
        for run_name, (kind, sampler, points, scale, channels, low, high) in RUNS.items():
            if kind != name or (low, high) != (0, 1) or channels == "all" or sampler == "dopri5":
                continue
            sde = sampler in ("euler-maruyama", "heun-sde")
            paths = transport.Sampler(transport.create_transport())
            if sde:
                choices = CHOICES.get(run_name, {})
                last = choices.get("last_step", "mean").capitalize()
                form = choices.get("form", "sigma")  # its own name of the last is spelt so
                sample = paths.sample_sde(sampling_method="Euler" if sampler == "euler-maruyama" else "Heun",
                                          diffusion_form="inccreasing-decreasing" if form.startswith("inc") else form,
                                          diffusion_norm=choices.get("norm", 1.0),
                                          last_step=None if last == "None" else last,
                                          last_step_size=choices.get("last", 0.04), num_steps=points)
            else:
                sample = paths.sample_ode(sampling_method={"euler": "euler", "heun": "heun2"}[sampler],
                                          num_steps=points)
            torch.manual_seed(SEED)
            z = torch.randn(n, 4, 8, 8).to(device)
            if scale == 1:
                out = sample(z, theirs.forward, y=labels)[-1]
            else:
                both = torch.cat([labels, torch.full_like(labels, own.num_classes)])
                out = sample(torch.cat([z, z]), theirs.forward_with_cfg, y=both, cfg_scale=scale)[-1][:n]
            results[run_name] = distance(run(own, run_name, device)[0], out)
    return results


@torch.no_grad()
def check_repa(folder, device):
    """Its models, with a projector, and its samplers; the null class is 1000 there, and steps draw float64 normals."""
    results = {}
    sit, samplers = original(folder, "models.sit"), original(folder, "samplers")
    for name in ("repa", "repa-qk-norm", "repa-older"):
        own = make_model(name).to(device)
        config = {k: v for k, v in own.config.items() if k not in ("learn_sigma", "qk_norm")}
        theirs = strictly(sit.SiT(path_type="linear", use_cfg=True, z_dims=[8], encoder_depth=1, projector_dim=12,
                                  decoder_hidden_size=own.config["hidden_size"], fused_attn=False,
                                  qk_norm=own.config.get("qk_norm", False), **config)).to(device)
        theirs.load_state_dict(own.state_dict(), strict=False)
        x, t, y = forward_inputs(own, device)
        results[f"{name}.forward"] = distance(own(x, t, y), theirs(x, t, y)[0])
        model = lambda x, t, y: theirs(x, t, torch.where(y == 1000, own.num_classes, y))
        labels, plain = torch.tensor(LABELS, device=device), torch.randn_like
        for run_name, (kind, sampler, steps, scale, channels, low, high) in RUNS.items():
            if kind != name:
                continue
            draws = Draws(len(LABELS), device, False)
            z = draws.start()
            torch.randn_like = lambda x, **_: draws().to(x)  # float32 normals here
            try:
                sample = samplers.euler_maruyama_sampler if sampler == "euler-maruyama" else samplers.euler_sampler
                out = sample(model, z, labels, num_steps=steps, heun=sampler == "heun", cfg_scale=scale,
                             guidance_low=low, guidance_high=high)
            finally:
                torch.randn_like = plain
            results[run_name] = distance(run(own, run_name, device)[0], out)
    return results


@torch.no_grad()
def check_meanflow(folder, device):
    results = {}
    sit, sampler = original(folder, "sit"), original(folder, "meanflow_sampler")
    own = make_model("meanflow").to(device)
    config = {k: v for k, v in own.config.items() if k != "learn_sigma"}
    theirs = strictly(sit.SiT(decoder_hidden_size=own.config["hidden_size"], qk_norm=False, fused_attn=False,
                              **config)).to(device)
    theirs.load_state_dict(own.state_dict())
    x, t, y = forward_inputs(own, device)
    interval = torch.tensor([1.0, 0.0, 0.2], device=device)
    results["meanflow.forward"] = distance(own(x, t, y, interval), theirs(x, t - interval, t, y))
    labels = torch.tensor(LABELS, device=device)
    for run_name, (kind, _, steps, scale, _, _, _) in RUNS.items():
        if kind == "meanflow" and scale == 1:  # its null class is 1000
            z = Draws(len(LABELS), device, False).start()
            out = sampler.meanflow_sampler(theirs, z, y=labels, num_steps=steps)
            results[run_name] = distance(run(own, run_name, device)[0], out)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--only", help="runs to make, separated by commas; the models' folders stay as they are")
    for name in ("sit", "repa", "meanflow"):
        parser.add_argument(f"--{name}", type=pathlib.Path, help="a copy of the originals' code")
    args = parser.parse_args()
    strict_float32()
    solver = None
    if importlib.util.find_spec("torchdiffeq") is not None:
        from torchdiffeq import odeint as solver
    for name in MODELS:
        wanted = [r for r in RUNS if RUNS[r][0] == name and (args.only is None or r in args.only.split(","))]
        if args.only is None:
            model, exact_model = make_model_folder(name, args.out, args.device)
        else:
            model = make_model(name).to(args.device)
            exact_model = copy.deepcopy(model).double()
        for run_name in wanted:
            make_run_folder(run_name, model, exact_model, args.out, args.device, solver)
    checks = {}
    for folder, check in ((args.sit, check_sit), (args.repa, check_repa), (args.meanflow, check_meanflow)):
        if folder is not None:
            checks.update(check(folder, args.device))
    if checks:
        facts = dict(torch=torch.__version__, device=args.device, distances=checks)
        save_json(args.out / "check.json", facts)
        print(json.dumps(checks, indent=1))


if __name__ == "__main__":
    main()
