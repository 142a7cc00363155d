package org.tornadodit.model.diffusion;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Chooses the timesteps that a shorter process keeps: {@code space_timesteps} of guided-diffusion and DiT. */
final class Respacing {

    private static final String DDIM = "ddim";

    private Respacing() {}

    /**
     * The timesteps kept, ascending and distinct.
     *
     * @param timesteps T, length of the original process
     * @param text step counts of equal sections ("250", "10,15,20"), "ddimN" for N steps of one whole stride from 0, or
     *     nothing for all
     * @throws IllegalArgumentException when the text is not of that form, or the steps cannot be chosen
     */
    static int[] timesteps(int timesteps, String text) {
        String spacing = text.strip();
        if (spacing.isEmpty()) {
            return strided(timesteps, 1);
        }
        if (spacing.startsWith(DDIM)) {
            return ddim(timesteps, spacing, count(spacing, spacing.substring(DDIM.length())));
        }
        List<Integer> counts = new ArrayList<>();
        long total = 0;
        for (String part : spacing.split(",", -1)) {
            int count = count(spacing, part);
            counts.add(count);
            total += count;
        }
        if (total == 0) {
            throw new IllegalArgumentException("0 sampling steps: at least 1 is needed");
        }
        return sections(timesteps, spacing, counts);
    }

    private static int count(String spacing, String part) {
        int count;
        try {
            count = Integer.parseInt(part.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "sampling steps '%s': expected a number like 250, a list like 10,15,20, or ddim50"
                            .formatted(spacing),
                    e);
        }
        if (count < 0) {
            throw new IllegalArgumentException("%d sampling steps: at least 1 is needed".formatted(count));
        }
        return count;
    }

    private static int[] ddim(int timesteps, String spacing, int count) {
        int below = 0;
        int above = timesteps;
        for (int stride = 1; stride < timesteps; stride++) {
            int steps = (timesteps + stride - 1) / stride;
            if (steps == count) {
                return strided(timesteps, stride);
            }
            if (steps > count) {
                above = steps;
            } else if (below == 0) {
                below = steps;
            }
        }
        throw new IllegalArgumentException("sampling steps '%s': no whole stride divides %d timesteps into %d; %s"
                .formatted(
                        spacing,
                        timesteps,
                        count,
                        below == 0 || count > timesteps
                                ? "the nearest is ddim" + above
                                : "the nearest are ddim%d and ddim%d".formatted(below, above)));
    }

    private static int[] strided(int timesteps, int stride) {
        int[] kept = new int[(timesteps + stride - 1) / stride];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = i * stride;
        }
        return kept;
    }

    private static int[] sections(int timesteps, String spacing, List<Integer> counts) {
        TreeSet<Integer> kept = new TreeSet<>();
        int start = 0;
        for (int section = 0; section < counts.size(); section++) {
            int size = timesteps / counts.size() + (section < timesteps % counts.size() ? 1 : 0);
            int count = counts.get(section);
            if (count > size) {
                throw new IllegalArgumentException(
                        counts.size() == 1
                                ? "%d sampling steps: the process has %d timesteps".formatted(count, timesteps)
                                : "sampling steps '%s': section %d of %d has %d timesteps, not %d"
                                        .formatted(spacing, section + 1, counts.size(), size, count));
            }
            double stride = count <= 1 ? 1 : (double) (size - 1) / (count - 1);
            double position = 0;
            for (int i = 0; i < count; i++) {
                // Python's round: halves go to the even neighbour. The sum is accumulated as there.
                kept.add(start + (int) Math.rint(position));
                position += stride;
            }
            start += size;
        }
        return kept.stream().mapToInt(Integer::intValue).toArray();
    }
}
