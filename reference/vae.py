# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""The KL autoencoder of latent diffusion (Rombach et al., arXiv:2112.10752) with diffusers' parameter names.

Configuration keys are those of a diffusers config.json, so that published AutoencoderKL folders load here.
"""
import torch
from torch import nn
from torch.nn import functional as F

DEFAULTS = dict(in_channels=3, out_channels=3, block_out_channels=[64], layers_per_block=1, latent_channels=4,
                norm_num_groups=32, sample_size=32, scaling_factor=0.18215, act_fn="silu")


def full_config(**options):
    """A complete config.json of diffusers' AutoencoderKL."""
    config = {"_class_name": "AutoencoderKL", "_diffusers_version": "0.33.1", **DEFAULTS, **options}
    blocks = len(config["block_out_channels"])
    config["down_block_types"] = ["DownEncoderBlock2D"] * blocks
    config["up_block_types"] = ["UpDecoderBlock2D"] * blocks
    return config


class ResnetBlock(nn.Module):
    def __init__(self, in_channels, out_channels, groups):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, in_channels, eps=1e-6)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, out_channels, eps=1e-6)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        if in_channels != out_channels:
            self.conv_shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x) + h


class Attention(nn.Module):
    """Single-head self-attention over the pixels, with a residual."""

    def __init__(self, channels, groups):
        super().__init__()
        self.group_norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x):
        n, c, h, w = x.shape
        tokens = self.group_norm(x.reshape(n, c, h * w)).transpose(1, 2)
        q, k, v = self.to_q(tokens), self.to_k(tokens), self.to_v(tokens)
        out = self.to_out[0](((q * c**-0.5) @ k.transpose(-2, -1)).softmax(dim=-1) @ v)
        return out.transpose(1, 2).reshape(n, c, h, w) + x


class MidBlock(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock(channels, channels, groups) for _ in range(2)])
        self.attentions = nn.ModuleList([Attention(channels, groups)])

    def forward(self, x):
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class Downsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))  # one pixel on the right and below


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class DownBlock(nn.Module):
    def __init__(self, in_channels, out_channels, layers, groups, resample):
        super().__init__()
        self.resnets = nn.ModuleList(
            [ResnetBlock(in_channels if i == 0 else out_channels, out_channels, groups) for i in range(layers)])
        if resample:
            self.downsamplers = nn.ModuleList([Downsample(out_channels)])

    def forward(self, x):
        for resnet in self.resnets:
            x = resnet(x)
        return self.downsamplers[0](x) if hasattr(self, "downsamplers") else x


class UpBlock(nn.Module):
    def __init__(self, in_channels, out_channels, layers, groups, resample):
        super().__init__()
        self.resnets = nn.ModuleList(
            [ResnetBlock(in_channels if i == 0 else out_channels, out_channels, groups) for i in range(layers)])
        if resample:
            self.upsamplers = nn.ModuleList([Upsample(out_channels)])

    def forward(self, x):
        for resnet in self.resnets:
            x = resnet(x)
        return self.upsamplers[0](x) if hasattr(self, "upsamplers") else x


class Encoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        channels, groups = config["block_out_channels"], config["norm_num_groups"]
        self.conv_in = nn.Conv2d(config["in_channels"], channels[0], 3, padding=1)
        self.down_blocks = nn.ModuleList([
            DownBlock(channels[max(i - 1, 0)], c, config["layers_per_block"], groups, i < len(channels) - 1)
            for i, c in enumerate(channels)])
        self.mid_block = MidBlock(channels[-1], groups)
        self.conv_norm_out = nn.GroupNorm(groups, channels[-1], eps=1e-6)
        self.conv_out = nn.Conv2d(channels[-1], 2 * config["latent_channels"], 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(self.mid_block(x))))


class Decoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        channels, groups = list(reversed(config["block_out_channels"])), config["norm_num_groups"]
        self.conv_in = nn.Conv2d(config["latent_channels"], channels[0], 3, padding=1)
        self.mid_block = MidBlock(channels[0], groups)
        self.up_blocks = nn.ModuleList([
            UpBlock(channels[max(i - 1, 0)], c, config["layers_per_block"] + 1, groups, i < len(channels) - 1)
            for i, c in enumerate(channels)])
        self.conv_norm_out = nn.GroupNorm(groups, channels[-1], eps=1e-6)
        self.conv_out = nn.Conv2d(channels[-1], config["out_channels"], 3, padding=1)

    def forward(self, x):
        x = self.mid_block(self.conv_in(x))
        for block in self.up_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class AutoencoderKL(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.config = full_config(**options)
        latent = self.config["latent_channels"]
        self.encoder = Encoder(self.config)
        self.decoder = Decoder(self.config)
        self.quant_conv = nn.Conv2d(2 * latent, 2 * latent, 1)
        self.post_quant_conv = nn.Conv2d(latent, latent, 1)

    @property
    def scaling_factor(self):
        return self.config["scaling_factor"]

    def encode(self, images):
        """(N, 3, 8S, 8S) in -1..1 to mean and log variance of the latents, (N, 4, S, S) each, not scaled."""
        mean, log_variance = self.quant_conv(self.encoder(images)).chunk(2, dim=1)
        return mean, log_variance.clamp(-30.0, 20.0)

    def decode(self, latents):
        """Latents as encode gives them, not scaled, to images in -1..1."""
        return self.decoder(self.post_quant_conv(latents))

    def randomize(self, seed, std=1.0):
        """Seeded weights, norm weights and biases too, for references."""
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            values = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() > 1:
                parameter.data.copy_(values * std * parameter[0].numel() ** -0.5)
            elif "norm" in name and name.endswith("weight"):
                parameter.data.copy_(1 + 0.2 * values)
            else:
                parameter.data.copy_(0.1 * values)
        return self

    @torch.no_grad()
    def fit_output_range(self, std=0.5, size=8):
        """Scales random weights' last layer so that decoded images of normal latents spread by std around 0."""
        generator = torch.Generator().manual_seed(0)
        latents = torch.randn(1, self.config["latent_channels"], size, size, generator=generator)
        images = self.decode(latents.to(self.post_quant_conv.weight.device) / self.scaling_factor)
        self.decoder.conv_out.weight *= std / images.std()
        self.decoder.conv_out.bias.zero_()
        return self
