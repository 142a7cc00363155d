package org.tornadodit.runner.output;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.vae.PixelLevel;

class ImageGridTest {

    @Test
    void eightImagesOf512MakeTheChallengesGrid() {
        BufferedImage grid = ImageGrid.of(new float[8 * 3 * 512 * 512], 8, 512);
        assertEquals(2058, grid.getWidth());
        assertEquals(1030, grid.getHeight());
    }

    @Test
    void anIncompleteRowLeavesBlack() {
        float[] white = new float[5 * 3 * 2 * 2];
        Arrays.fill(white, 1f);
        BufferedImage grid = ImageGrid.of(white, 5, 2);
        assertEquals(4 * 4 + 2, grid.getWidth());
        assertEquals(2 * 4 + 2, grid.getHeight());
        assertEquals(0xFF000000, grid.getRGB(1, 1), "padding");
        assertEquals(0xFFFFFFFF, grid.getRGB(2, 6), "fifth image");
        assertEquals(0xFF000000, grid.getRGB(6, 6), "the place of a sixth");
    }

    @Test
    void oneImageComesWithoutPadding() {
        assertEquals(2, ImageGrid.of(new float[3 * 2 * 2], 1, 2).getWidth());
    }

    @Test
    void fewerThanARowMakeANarrowGrid() {
        assertEquals(3 * 4 + 2, ImageGrid.of(new float[3 * 3 * 2 * 2], 3, 2).getWidth());
    }

    /** torchvision's make_grid: nrow images a row, or as many as there are. */
    @Test
    void rowsHaveAnyLength() {
        BufferedImage column = new ImageGrid(3, 1, 2).picture();
        assertEquals(List.of(6, 14), List.of(column.getWidth(), column.getHeight()));
        BufferedImage row = new ImageGrid(3, Integer.MAX_VALUE, 2).picture();
        assertEquals(List.of(14, 6), List.of(row.getWidth(), row.getHeight()));
        assertEquals(14 * 6, ImageGrid.pixels(3, Integer.MAX_VALUE, 2));
        assertEquals(6 * 14, ImageGrid.pixels(3, 1, 2));
        BufferedImage two = new ImageGrid(3, 2, 2).picture();
        assertEquals(List.of(10, 10), List.of(two.getWidth(), two.getHeight()));
    }

    @Test
    void placesChannelsAndPixels() {
        float[] image = new float[3 * 2 * 2];
        Arrays.fill(image, -1f);
        image[1] = 1f; // red, row 0, column 1
        image[4 + 2] = 1f; // green, row 1, column 0
        image[8 + 3] = 0f; // blue, row 1, column 1
        BufferedImage grid = ImageGrid.of(image, 1, 2);
        assertEquals(0xFFFF0000, grid.getRGB(1, 0));
        assertEquals(0xFF00FF00, grid.getRGB(0, 1));
        assertEquals(0xFF000080, grid.getRGB(1, 1));
    }

    @Test
    void roundsAndClampsAsSaveImage() {
        assertEquals(0, PixelLevel.of(-7f));
        assertEquals(0, PixelLevel.of(-1f));
        assertEquals(128, PixelLevel.of(0f));
        assertEquals(255, PixelLevel.of(1f));
        assertEquals(255, PixelLevel.of(Float.POSITIVE_INFINITY));
        assertEquals(254, PixelLevel.of(0.9921f));
    }

    @Test
    void refusesAnotherNumberOfValues() {
        assertThrows(IllegalArgumentException.class, () -> ImageGrid.of(new float[11], 1, 2));
    }
}
