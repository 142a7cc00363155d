package org.tornadodit.model.vae;

/** A decoded value as a level of a picture, as torchvision's {@code save_image(normalize=True, value_range=(-1, 1))} has it. */
public final class PixelLevel {
    private PixelLevel() {}

    /** -1..1 to 0..255: clamp, (x + 1) / 2, times 255 plus 0.5, clamp, truncate; each step rounded to float32. */
    public static int of(float value) {
        float unit = (Math.clamp(value, -1f, 1f) + 1f) / 2f;
        return (int) Math.clamp(unit * 255f + 0.5f, 0f, 255f);
    }
}
