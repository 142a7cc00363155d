# Copyright the tornado-dit authors. SPDX-License-Identifier: Apache-2.0
"""Packs the demo classes' pictures into one .npz, and writes demo/labels.json and the pictures' credits.

    npm pack @lobehub/fluent-emoji-3d@1.1.0 && tar xzf lobehub-fluent-emoji-3d-1.1.0.tgz
    python3 reference/demo/prepare_images.py --package package --out images.npz --demo demo
"""
import argparse
import json
import pathlib

import numpy as np
from PIL import Image

CREDITS = """The demo model was trained on pictures of Microsoft's Fluent Emoji (3D style), taken from the npm package
@lobehub/fluent-emoji-3d, version 1.1.0, whose package.json and README state the MIT licence, and which repackages
https://github.com/microsoft/fluentui-emoji (MIT). The pictures themselves are not in this repository; what the model
draws resembles them. The pictures used are listed in reference/demo/classes.json.

MIT License

Copyright (c) Microsoft Corporation.
Copyright (c) 2023 LobeHub

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", required=True, help="unpacked npm package")
    parser.add_argument("--out", required=True, help=".npz to write: images (K, 256, 256, 4) uint8, RGBA")
    parser.add_argument("--demo", default="demo", help="folder for labels.json and LICENSE-images.txt")
    args = parser.parse_args()
    listing = json.loads((pathlib.Path(__file__).parent / "classes.json").read_text())
    names = list(listing["classes"])
    images = []
    for name in names:
        picture = Image.open(pathlib.Path(args.package) / "assets" / f"{listing['classes'][name]}.webp")
        images.append(np.asarray(picture.convert("RGBA").resize((256, 256), Image.LANCZOS)))
    np.savez_compressed(args.out, images=np.stack(images))
    demo = pathlib.Path(args.demo)
    demo.mkdir(parents=True, exist_ok=True)
    labels = {"names": names, "favourites": [names.index(name) for name in listing["favourites"]]}
    (demo / "labels.json").write_text(json.dumps(labels, indent=1) + "\n")
    (demo / "LICENSE-images.txt").write_text(CREDITS)
    print(f"{len(names)} classes, favourites {labels['favourites']}")


if __name__ == "__main__":
    main()
