# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""A training loop bounded by wall-clock time: one step captured as a CUDA graph, cosine rate, weight average."""
import contextlib
import copy
import math
import time

import torch


class Training:
    """Replays ``losses()`` -> dict with "loss", its gradient, AdamW and the running average of the weights.

    On a GPU the whole step is one CUDA graph: thousands of small kernels a second need no launches from Python.
    """

    def __init__(self, model, losses, rate, average_decay, clip=1.0):
        self.model, self.losses, self.rate, self.decay, self.clip = model, losses, rate, average_decay, clip
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.average = copy.deepcopy(model).requires_grad_(False)
        self.averaged = [a for a, p in zip(self.average.parameters(), model.parameters()) if p.requires_grad]
        self.device = self.parameters[0].device
        self.cuda = self.device.type == "cuda"
        if self.cuda:
            self.rate_now = torch.tensor(rate, device=self.device)
            self.optimizer = torch.optim.AdamW(self.parameters, lr=self.rate_now, betas=(0.9, 0.99),
                                               weight_decay=0.0, fused=True, capturable=True)
        else:
            self.optimizer = torch.optim.AdamW(self.parameters, lr=rate, betas=(0.9, 0.99), weight_decay=0.0)
        self.seen = {}

    def step(self):
        precision = torch.autocast("cuda", dtype=torch.bfloat16) if self.cuda else contextlib.nullcontext()
        with precision:
            terms = self.losses()
        terms["loss"].backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.optimizer.step()
        torch._foreach_mul_(self.averaged, self.decay)
        torch._foreach_add_(self.averaged, [p.detach() for p in self.parameters], alpha=1 - self.decay)
        return {name: term.detach() for name, term in terms.items()}

    def capture(self):
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.optimizer.zero_grad(set_to_none=True)
                self.step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self.seen = self.step()
        return graph.replay

    def eager(self):
        self.optimizer.zero_grad(set_to_none=True)
        self.seen = self.step()

    def run(self, seconds, name, save, save_every=60.0):
        """Trains for the given time; ``save(average)`` is called now and then, and at the end."""
        start = time.time()
        replay = self.eager
        if self.cuda:
            self.rate_now.fill_(0.0)
            try:
                replay = self.capture()
            except RuntimeError as problem:  # slower, but the same training
                print(f"{name}: no CUDA graph ({str(problem)[:300]})", flush=True)
                torch.cuda.synchronize()
        for average, parameter in zip(self.averaged, self.parameters):
            average.data.copy_(parameter.data)
        steps, begin, told, saved = 0, time.time(), 0.0, time.time()
        while True:
            now = time.time()
            part = (now - start) / seconds
            if part >= 1:
                break
            rate = self.rate * min(1.0, (steps + 1) / 400) * (0.5 + 0.5 * math.cos(math.pi * part) + 0.005)
            if self.cuda:
                self.rate_now.fill_(rate)
            else:
                self.optimizer.param_groups[0]["lr"] = rate
            for _ in range(10 if self.cuda else 1):
                replay()
                steps += 1
            if self.cuda:
                torch.cuda.synchronize()
            if now - told > 10:
                told = now
                terms = " ".join(f"{n} {float(v):.5f}" for n, v in self.seen.items())
                print(f"{name}: {now - start:5.0f} s, step {steps}, {(time.time() - begin) / steps * 1e3:.2f} ms "
                      f"a step, rate {rate:.1e}, {terms}", flush=True)
            if now - saved > save_every:
                saved = now
                save(self.average)
        terms = {n: float(v) for n, v in self.seen.items()}
        print(f"{name}: done, {steps} steps in {time.time() - start:.1f} s, {terms}", flush=True)
        save(self.average)
        return {"steps": steps, "seconds": time.time() - start, **terms}
