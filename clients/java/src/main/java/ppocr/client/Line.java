package ppocr.client;

import java.util.List;

/**
 * One line of text.
 *
 * @param confidence the mean of its characters, from 0 to 1; NaN where the answer has none (a pipeline that answers {@code res})
 * @param points the corners of the text from its top left clockwise; empty where the answer has none
 * @param angle degrees clockwise by which the line is turned on the upright page: 180 where it stands upside down, else 0
 * @param words its words; null where the request didn't ask for them
 */
public record Line(String text, double confidence, List<Point> points, double angle, List<Word> words) {
    public Line(String text, double confidence, List<Point> points) {
        this(text, confidence, points, 0, null);
    }
}
