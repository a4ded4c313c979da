package ppocr.client;

/** A place in the image as it is seen, after its EXIF orientation was applied, in pixels. */
public record Point(double x, double y) {}
