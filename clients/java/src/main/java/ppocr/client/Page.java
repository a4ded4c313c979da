package ppocr.client;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What was read in one image. Lines come in reading order.
 *
 * @param width the image's width in pixels, after its EXIF orientation was applied
 * @param height its height
 * @param model what read it, as name/version
 * @param angle degrees clockwise by which the page is turned in the image as it was sent: 0, 90, 180 or 270
 * @param warnings sentences about what may be missing
 */
public record Page(List<Line> lines, int width, int height, String model, int angle, List<String> warnings) {
    /** The texts of the lines, one below the other. */
    public String text() {
        return lines.stream().map(Line::text).collect(Collectors.joining("\n"));
    }
}
