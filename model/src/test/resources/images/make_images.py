"""Makes the images beside it with Pillow, and NAME.rgb.png: what convert("RGB") makes of each."""
import pathlib

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).parent


def scene():
    y, x = np.mgrid[0:29, 0:43]
    noise = np.random.default_rng(1).normal(0, 6, (29, 43, 3))
    waves = np.stack([128 + 100 * np.sin(x / 7 + c) * np.cos(y / 5 - c) for c in range(3)], -1)
    return Image.fromarray(np.clip(waves + noise, 0, 255).astype(np.uint8))


def main():
    image = scene()
    image.save(HERE / "subsampled.jpg", quality=85, subsampling=2)
    image.save(HERE / "progressive.jpg", quality=85, progressive=True)
    image.convert("L").save(HERE / "grey.jpg", quality=80)
    image.quantize(20).save(HERE / "palette.png")
    image.convert("LA").save(HERE / "grey-alpha.png")
    image.convert("1").save(HERE / "bits.png")
    image.convert("CMYK").save(HERE / "cmyk.jpg")
    for path in sorted(HERE.glob("*.*")):
        if path.suffix in (".jpg", ".png") and ".rgb" not in path.name and path.stem != "cmyk":
            Image.open(path).convert("RGB").save(HERE / f"{path.stem}.rgb.png")


if __name__ == "__main__":
    main()
