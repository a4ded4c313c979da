package ppocr.client;

import java.util.List;

/** A part of a line. {@code confidence} is the mean of its characters, from 0 to 1. */
public record Word(String text, double confidence, List<Point> points) {}
