# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Training pictures made on the device: each class's one drawing, moved a little, on a soft background."""
import numpy as np
import torch
from torch.nn import functional as F


def load(path, device):
    """(K, 4, 256, 256) float32, colour premultiplied by alpha, 0..1."""
    rgba = torch.from_numpy(np.load(path)["images"]).to(device).permute(0, 3, 1, 2).float() / 255
    return torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1).contiguous()


def pastel(n, device):
    """(N, 3, 1, 1) light colours of any hue."""
    hue = torch.rand(n, 1, device=device) * 6
    saturation = 0.04 + 0.18 * torch.rand(n, 1, device=device)
    value = 0.94 + 0.06 * torch.rand(n, 1, device=device)
    k = (5.0 - 2.0 * torch.arange(3, device=device)[None] + hue) % 6
    wheel = torch.minimum(torch.minimum(k, 4 - k), torch.ones_like(k)).clamp(min=0)
    return (value - value * saturation * wheel)[:, :, None, None]


def augmented(drawings, index, size=128):
    """Drawings of the given classes (N,), each rotated, scaled and shifted a little: (N, 3, size, size), -1..1."""
    with torch.autocast(drawings.device.type, enabled=False):  # eight bits would not do for coordinates
        return _augmented(drawings, index, size)


def _augmented(drawings, index, size):
    n, device = len(index), drawings.device
    angle = (torch.rand(n, device=device) * 2 - 1) * 0.10  # radians, about 6 degrees
    inverse_scale = 1 / (0.80 + 0.12 * torch.rand(n, device=device))
    shift = (torch.rand(n, 2, device=device) * 2 - 1) * 0.06
    cos, sin = torch.cos(angle) * inverse_scale, torch.sin(angle) * inverse_scale
    theta = torch.stack([torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)], 1)
    # Drawn at twice the size and averaged, so that thin lines do not alias.
    grid = F.affine_grid(theta, [n, 4, 2 * size, 2 * size], align_corners=False)
    moved = F.avg_pool2d(F.grid_sample(drawings[index], grid, align_corners=False), 2)
    return ((moved[:, :3] + (1 - moved[:, 3:]) * pastel(n, device)) * 2 - 1).clamp(-1, 1)
