# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""The Diffusion Transformer of Peebles and Xie (arXiv:2212.09748), adaLN-Zero variant, in PyTorch.

Written from the paper for this project's references and demo model. Parameters carry the names of the published
checkpoints (``blocks.7.attn.qkv.weight``), so that those load here and what is trained here loads there.

Shapes: N batch, T tokens, D hidden size, H heads, C channels, P patch size.
"""
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

#: (depth, hidden_size, num_heads) by size; a variant is named "DiT-XL/2", "DiT-S/8", ...
SIZES = {"XL": (28, 1152, 16), "L": (24, 1024, 16), "B": (12, 768, 12), "S": (12, 384, 6)}


def variant(name, **options):
    """DiT by its published name: size XL, L, B, S and patch size 2, 4, 8."""
    size, patch = name.removeprefix("DiT-").split("/")
    depth, hidden, heads = SIZES[size]
    return DiT(depth=depth, hidden_size=hidden, num_heads=heads, patch_size=int(patch), **options)


def timestep_frequencies(dim, max_period=10000):
    """dim / 2 frequencies 10000^(-i / (dim / 2)), float32."""
    half = dim // 2
    # The exponent is evaluated in float32 in just this order: -ln(10000) * i, then / half.
    return torch.exp(-math.log(max_period) * torch.arange(half, dtype=torch.float32) / half)


def timestep_embedding(t, frequencies):
    """(N,) timesteps to (N, 2 F): the cosines, then the sines, of t times F frequencies."""
    angles = t[:, None].to(frequencies.dtype) * frequencies[None]
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)


def sincos_1d(dim, positions):
    """(M,) positions to (M, dim): sines, then cosines, float64."""
    omega = np.arange(dim // 2, dtype=np.float64)
    omega /= dim / 2.0
    omega = 1.0 / 10000**omega
    angles = positions.reshape(-1)[:, None].astype(np.float64) * omega[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def sincos_2d(dim, side):
    """Position embedding of a side x side grid, (T, D): the first half of D tells the column, the second the row."""
    row, column = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    return np.concatenate([sincos_1d(dim // 2, column), sincos_1d(dim // 2, row)], axis=1)


def modulate(x, shift, scale):
    """adaLN: x (N, T, D), shift and scale (N, D)."""
    return x * (1 + scale.unsqueeze(1)) + shift.unsqueeze(1)


class PatchEmbed(nn.Module):
    """(N, C, S, S) to (N, T, D) by a convolution with stride P."""

    def __init__(self, patch_size, in_channels, hidden_size):
        super().__init__()
        self.proj = nn.Conv2d(in_channels, hidden_size, kernel_size=patch_size, stride=patch_size)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class TimestepEmbedder(nn.Module):
    FREQUENCIES = 256

    def __init__(self, hidden_size):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(self.FREQUENCIES, hidden_size), nn.SiLU(), nn.Linear(hidden_size, hidden_size)
        )
        self.register_buffer("frequencies", timestep_frequencies(self.FREQUENCIES), persistent=False)

    def forward(self, t):
        return self.mlp(timestep_embedding(t, self.frequencies))


class LabelEmbedder(nn.Module):
    """A table of num_classes rows and one more, the null class of classifier-free guidance."""

    def __init__(self, num_classes, hidden_size):
        super().__init__()
        self.embedding_table = nn.Embedding(num_classes + 1, hidden_size)

    def forward(self, y):
        return self.embedding_table(y)


class Attention(nn.Module):
    """Multi-head self-attention.

    ``fused`` takes PyTorch's scaled_dot_product_attention, as the published model does; otherwise every product is
    an explicit matrix product in the tensors' own precision, which is what the references are made with.
    """

    def __init__(self, hidden_size, num_heads, qk_norm=False):
        super().__init__()
        self.num_heads = num_heads
        self.scale = (hidden_size // num_heads) ** -0.5
        self.fused = False
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size)
        # timm's, with PyTorch's default epsilon of 1e-5: each head's query and key by itself.
        self.q_norm = nn.LayerNorm(hidden_size // num_heads) if qk_norm else None
        self.k_norm = nn.LayerNorm(hidden_size // num_heads) if qk_norm else None
        self.proj = nn.Linear(hidden_size, hidden_size)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.num_heads, d // self.num_heads).permute(2, 0, 3, 1, 4).unbind(0)
        if self.q_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        if self.fused:
            x = F.scaled_dot_product_attention(q, k, v)
        else:
            x = ((q * self.scale) @ k.transpose(-2, -1)).softmax(dim=-1) @ v
        return self.proj(x.transpose(1, 2).reshape(n, t, d))


class Mlp(nn.Module):
    def __init__(self, hidden_size, mlp_hidden):
        super().__init__()
        self.fc1 = nn.Linear(hidden_size, mlp_hidden)
        self.act = nn.GELU(approximate="tanh")
        self.fc2 = nn.Linear(mlp_hidden, hidden_size)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))


class Block(nn.Module):
    """Attention and MLP, each with adaptive layer norm and a gate (adaLN-Zero)."""

    def __init__(self, hidden_size, num_heads, mlp_ratio, qk_norm=False):
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden_size, elementwise_affine=False, eps=1e-6)
        self.attn = Attention(hidden_size, num_heads, qk_norm)
        self.norm2 = nn.LayerNorm(hidden_size, elementwise_affine=False, eps=1e-6)
        self.mlp = Mlp(hidden_size, int(hidden_size * mlp_ratio))
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(hidden_size, 6 * hidden_size))

    def forward(self, x, c):
        shift_msa, scale_msa, gate_msa, shift_mlp, scale_mlp, gate_mlp = self.adaLN_modulation(c).chunk(6, dim=1)
        x = x + gate_msa.unsqueeze(1) * self.attn(modulate(self.norm1(x), shift_msa, scale_msa))
        return x + gate_mlp.unsqueeze(1) * self.mlp(modulate(self.norm2(x), shift_mlp, scale_mlp))


class FinalLayer(nn.Module):
    """(N, T, D) to (N, T, P * P * out_channels)."""

    def __init__(self, hidden_size, patch_size, out_channels):
        super().__init__()
        self.norm_final = nn.LayerNorm(hidden_size, elementwise_affine=False, eps=1e-6)
        self.linear = nn.Linear(hidden_size, patch_size * patch_size * out_channels)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(hidden_size, 2 * hidden_size))

    def forward(self, x, c):
        shift, scale = self.adaLN_modulation(c).chunk(2, dim=1)
        return self.linear(modulate(self.norm_final(x), shift, scale))


class DiT(nn.Module):
    """Predicts the noise in x_t and, with learn_sigma, where the variance lies in its range.

    SiT, REPA and MeanFlow have the same blocks and predict a velocity: REPA's may normalize queries and keys (qk_norm),
    MeanFlow's has a second embedder, of the interval t - r (r_embedder).
    """

    def __init__(self, input_size=32, patch_size=2, in_channels=4, hidden_size=1152, depth=28, num_heads=16,
                 mlp_ratio=4.0, num_classes=1000, learn_sigma=True, qk_norm=False, r_embedder=False):
        super().__init__()
        self.config = dict(input_size=input_size, patch_size=patch_size, in_channels=in_channels,
                           hidden_size=hidden_size, depth=depth, num_heads=num_heads, mlp_ratio=mlp_ratio,
                           num_classes=num_classes, learn_sigma=learn_sigma)
        if qk_norm:
            self.config["qk_norm"] = True
        self.in_channels = in_channels
        self.out_channels = 2 * in_channels if learn_sigma else in_channels
        self.patch_size = patch_size
        self.num_classes = num_classes
        self.x_embedder = PatchEmbed(patch_size, in_channels, hidden_size)
        self.t_embedder = TimestepEmbedder(hidden_size)
        self.r_embedder = TimestepEmbedder(hidden_size) if r_embedder else None
        self.y_embedder = LabelEmbedder(num_classes, hidden_size)
        side = input_size // patch_size
        self.pos_embed = nn.Parameter(
            torch.from_numpy(sincos_2d(hidden_size, side)).float().unsqueeze(0), requires_grad=False
        )
        self.blocks = nn.ModuleList([Block(hidden_size, num_heads, mlp_ratio, qk_norm) for _ in range(depth)])
        self.final_layer = FinalLayer(hidden_size, patch_size, self.out_channels)
        self.initialize()

    def initialize(self):
        """The paper's start: Xavier for products, 0.02 for embeddings, zero for modulation and the last layer."""
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                nn.init.xavier_uniform_(module.weight.view(module.weight.shape[0], -1))
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.y_embedder.embedding_table.weight, std=0.02)
        for layer in (self.t_embedder.mlp[0], self.t_embedder.mlp[2]):
            nn.init.normal_(layer.weight, std=0.02)
        for layer in [b.adaLN_modulation[1] for b in self.blocks] + [
            self.final_layer.adaLN_modulation[1], self.final_layer.linear
        ]:
            nn.init.zeros_(layer.weight)

    def randomize(self, seed, modulation=0.3, output=1.0):
        """Seeded non-zero weights everywhere, for references: no term of the forward pass is multiplied by zero."""
        generator = torch.Generator().manual_seed(seed)

        def normal(parameter, std):
            parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * std)

        for name, parameter in self.named_parameters():
            if name == "pos_embed":
                continue
            if name.endswith("bias"):
                normal(parameter, 0.1)
            elif "embedding_table" in name:
                normal(parameter, 0.5)
            elif name.endswith(("q_norm.weight", "k_norm.weight")):
                normal(parameter, 0.3)
                parameter.data += 1
            else:
                fan_in = parameter[0].numel()
                gain = modulation if "adaLN" in name else output if name == "final_layer.linear.weight" else 1.0
                normal(parameter, gain * fan_in**-0.5)
        return self

    def damp(self, gain=1.0):
        """Makes random weights a denoiser that sampling survives: predicted noise is about gain * x_t.

        The patch embedding dominates the tokens and the last layer holds its pseudo-inverse, so that x passes
        through, disturbed by all that the blocks do. The variance channels become small. Without this, random
        weights let x grow by 1 / sqrt(alphas_cumprod) = 158.
        """
        weight = self.x_embedder.proj.weight  # (D, C, P, P)
        d, c, p, _ = weight.shape
        embed = weight.data.view(d, -1)
        embed *= (c * p * p) ** 0.5  # elements of W x get variance c p^2 for x of variance 1
        inverse = torch.linalg.pinv(embed.double()).float().view(c, p, p, d).permute(1, 2, 0, 3)
        last = self.final_layer.linear.weight.data.view(p, p, self.out_channels, d)
        last *= 0.1
        last[:, :, :c] += gain * (c * p * p) ** 0.5 * inverse
        self.final_layer.linear.bias.data *= 0.1
        self.final_layer.adaLN_modulation[1].weight.data *= 0.2
        self.final_layer.adaLN_modulation[1].bias.data *= 0.2
        return self

    def fuse_attention(self, fused=True):
        for block in self.blocks:
            block.attn.fused = fused
        return self

    def unpatchify(self, x):
        """(N, T, P * P * C) to (N, C, S, S)."""
        n, t, _ = x.shape
        side, p, c = math.isqrt(t), self.patch_size, self.out_channels
        return x.reshape(n, side, side, p, p, c).permute(0, 5, 1, 3, 2, 4).reshape(n, c, side * p, side * p)

    def forward(self, x, t, y, interval=None):
        """x (N, C, S, S), t (N,) timesteps of 0..999, y (N,) labels, num_classes being the null class.

        Models of a velocity take t of 0..1; interval (N,) is MeanFlow's t - r.
        """
        x = self.x_embedder(x) + self.pos_embed
        c = self.t_embedder(t)
        if interval is not None:
            c = c + self.r_embedder(interval)
        c = c + self.y_embedder(y)
        for block in self.blocks:
            x = block(x, c)
        return self.unpatchify(self.final_layer(x, c))

    def forward_with_cfg(self, x, t, y, cfg_scale, cfg_channels="3"):
        """Classifier-free guidance. x's first half is used for both halves; y holds the labels, then null classes.

        The published sampler guides the first three channels only ("3"); "all" guides the whole predicted noise.
        """
        half = len(x) // 2
        out = self.forward(torch.cat([x[:half], x[:half]]), t, y)
        guided = 3 if cfg_channels == "3" else self.in_channels
        cond, uncond = out[:half, :guided], out[half:, :guided]
        eps = uncond + cfg_scale * (cond - uncond)
        return torch.cat([torch.cat([eps, eps]), out[:, guided:]], dim=1)


def strict_float32():
    """No TF32 anywhere, and no reduced-precision sums."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")


def tensor_float32():
    """What the published sample.py sets: TF32 products, for comparison."""
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
