"""Makes the PyTorch and NumPy files of the reader tests: make_fixtures.py (made with torch 1.13, numpy 1.24).

Values are (index - 3) / 8, exact in every floating-point type. system.pt tries to create a file when it is unpickled by
a reader that executes what it reads: do not torch.load it.
"""

import argparse
import collections
import copy
import io
import json
import os
import pathlib
import struct
import zipfile

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
FUZZ = HERE.parent / "org/tornadodit/model/io"


def values(*shape, dtype=torch.float32):
    count = int(np.prod(shape))
    return ((torch.arange(count, dtype=torch.float64) - 3) / 8).reshape(shape).to(dtype)


def pickle_of(archive):
    with zipfile.ZipFile(archive) as zipped:
        return zipped.read(next(name for name in zipped.namelist() if name.endswith("/data.pkl")))


class Hostile:
    def __reduce__(self):
        return os.system, ("touch /tmp/dit-io-test-was-here",)


def views():
    base = values(6, 4)
    return collections.OrderedDict(
        plain=values(2, 3),
        half=values(2, 3, dtype=torch.float16),
        bfloat16=values(2, 3, dtype=torch.bfloat16),
        double=values(2, 3, dtype=torch.float64),
        long=torch.arange(-2, 4).reshape(2, 3),
        int=torch.arange(-2, 4, dtype=torch.int32),
        bool=torch.tensor([True, False, True]),
        base=base,
        transposed=base.t(),
        slice=base[1:5:2, 1:3],
        row=base[2],
        permuted=values(2, 3, 4).permute(2, 0, 1),
        halfTransposed=values(2, 3, dtype=torch.float16).t(),
        scalar=torch.tensor(0.5),
        empty=torch.zeros(0, 3),
        parameter=torch.nn.Parameter(values(3)),
    )


def training():
    """As DiT's training saves: model, ema, optimizer, arguments."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    ema = copy.deepcopy(model)
    with torch.no_grad():
        for i, parameter in enumerate(ema.parameters()):
            parameter.copy_(values(*parameter.shape) + i)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return {
        "model": model.state_dict(),
        "ema": ema.state_dict(),
        "opt": optimizer.state_dict(),
        "args": argparse.Namespace(model="DiT-XL/2", image_size=256, lr=1e-4, vae=None, flag=True),
    }


def cyclic():
    items, checkpoint = [], {}
    items.append(items)
    checkpoint["ema"] = checkpoint
    checkpoint["list"] = items
    return checkpoint


def main():
    count = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    torch.save(views(), HERE / "views.pt")
    torch.save(training(), HERE / "training.pt")
    torch.save(views(), HERE / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({"weight": values(2), "hostile": Hostile()}, HERE / "system.pt")
    torch.save(cyclic(), HERE / "cyclic.pt")
    torch.save(collections.OrderedDict(w=count, u=count.t()), HERE / "protocol4.pt", pickle_protocol=4)
    np.save(HERE / "fortran.npy", np.asfortranarray(count.numpy()))
    np.savez_compressed(HERE / "deflated.npz", a=count.numpy(), b=np.array(7, dtype=np.int64))
    np.savez(HERE / "stored.npz", arr_0=np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3))

    def seed(topic, target):
        folder = FUZZ / topic / f"{target}FuzzTestInputs/bounded"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    for name in ("views", "training", "system", "cyclic"):
        (seed("torch", "Pickle") / f"{name}.pkl").write_bytes(pickle_of(HERE / f"{name}.pt"))
    for protocol in (3, 4, 5):
        archive = io.BytesIO()
        torch.save({"w": count, "n": argparse.Namespace(a=1)}, archive, pickle_protocol=protocol)
        (seed("torch", "Pickle") / f"protocol{protocol}.pkl").write_bytes(pickle_of(archive))
    torch.save({"w": count.half()}, seed("torch", "TorchZip") / "small.pt")
    for name in ("stored", "deflated"):
        (seed("numpy", "Npz") / f"{name}.npz").write_bytes((HERE / f"{name}.npz").read_bytes())
    np.save(seed("numpy", "Npy") / "fortran.npy", np.asfortranarray(count.numpy()))
    header = {
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "BF16", "shape": [2], "data_offsets": [24, 28]},
    }
    encoded = json.dumps(header).encode()
    (seed("checkpoint", "Safetensors") / "two.safetensors").write_bytes(struct.pack("<Q", len(encoded)) + encoded + bytes(28))


if __name__ == "__main__":
    main()
