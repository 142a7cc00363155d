# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""What the reference programs write: .npy folders with a manifest, safetensors, image grids."""
import datetime
import json
import pathlib
import struct

import numpy as np
import torch

_DTYPES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
           torch.int64: "I64", torch.int32: "I32", torch.uint8: "U8"}


def save_safetensors(tensors, path, metadata=None):
    """Writes name -> tensor in the safetensors layout: 8 bytes of header length, JSON header, data."""
    header, blobs, offset = {}, [], 0
    if metadata:
        header["__metadata__"] = metadata
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        raw = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
        blob = raw.numpy().tobytes()
        header[name] = {"dtype": _DTYPES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)))
        out.write(text)
        for blob in blobs:
            out.write(blob)


def load_safetensors(path):
    types = {v: k for k, v in _DTYPES.items()}
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = torch.frombuffer(bytearray(data[8 + size + begin:8 + size + end]), dtype=types[entry["dtype"]])
        tensors[name] = raw.reshape(entry["shape"])
    return tensors


def save_npy(path, value):
    """float32 or float64 as they are, in C order."""
    if torch.is_tensor(value):
        value = value.detach().cpu().numpy()
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.ascontiguousarray(value))


def save_json(path, value):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def manifest(folder, program, device, **facts):
    """What made a folder: program, versions, device, date, and the case's own facts (seed, configuration)."""
    name = torch.cuda.get_device_name(0) if str(device).startswith("cuda") else "cpu"
    save_json(pathlib.Path(folder) / "manifest.json", {
        "program": program, "torch": torch.__version__, "numpy": np.__version__, "device": name,
        "date": datetime.date.today().isoformat(), **facts})


def save_grid(images, path):
    """The grid of the published sample.py: four a row, two pixels of padding, -1..1."""
    from torchvision.utils import save_image
    save_image(images, str(path), nrow=4, normalize=True, value_range=(-1, 1))


class Capture:
    """Records the output of every sub-module, by its PyTorch path, during forward passes."""

    def __init__(self, module):
        self.outputs = {}
        self._handles = [
            child.register_forward_hook(self._hook(name)) for name, child in module.named_modules() if name]

    def _hook(self, name):
        def keep(_module, _inputs, output):
            if torch.is_tensor(output):
                self.outputs[name] = output.detach().clone()
        return keep

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for handle in self._handles:
            handle.remove()


