package ppocr.client;

import java.util.ArrayList;
import java.util.List;

/**
 * What the pipeline answered.
 *
 * @param key {@code result}; {@code res} of older services and of those that only read lines; {@code dt_boxes} of those that only
 *     find them
 * @param value the text of a list of Python
 */
public record PipelineAnswer(String key, String value) {
    /**
     * The lines of {@code result} with confidence and points, or of {@code res} without. Throws PpocrException where the value is
     * neither.
     */
    public List<Line> lines() {
        if (!key.equals("result") && !key.equals("res")) {
            throw new PpocrException("the answer has the key '" + key + "', which holds no text", null);
        }
        try {
            List<Line> lines = new ArrayList<>();
            for (Object item : list(PythonLiteral.parse(value))) {
                lines.add(key.equals("res") ? new Line((String) item, Double.NaN, List.of()) : line(list(item)));
            }
            return List.copyOf(lines);
        } catch (ClassCastException | IndexOutOfBoundsException | IllegalArgumentException error) {
            throw new PpocrException("the pipeline's value is not a list of lines: " + error.getMessage(), error);
        }
    }

    /** Of {@code [('text', 0.99), [[x, y], …]]}. */
    private static Line line(List<?> item) {
        List<?> read = list(item.get(0));
        List<Point> points = new ArrayList<>();
        for (Object point : list(item.get(1))) {
            points.add(new Point((Double) list(point).get(0), (Double) list(point).get(1)));
        }
        return new Line((String) read.get(0), (Double) read.get(1), List.copyOf(points));
    }

    private static List<?> list(Object value) {
        return (List<?>) value;
    }

    /** Of an answer's members over either protocol. Throws what {@code err_no} stands for where it isn't 0. */
    static PipelineAnswer of(int errNo, String message, List<String> keys, List<String> values) {
        String sentence = message + " (err_no " + errNo + ")";
        switch (errNo) {
            case 0 -> { }
            case 3002 -> throw new PpocrException.NotFound(sentence, null);
            case 6000 -> throw new PpocrException.DeadlineExceeded(sentence, null);
            case 8000, 10000 -> throw new PpocrException.InvalidRequest(sentence, null);
            default -> throw new PpocrException(sentence, null);
        }
        if (keys.isEmpty() || values.isEmpty()) {
            throw new PpocrException("the pipeline's answer has no value", null);
        }
        return new PipelineAnswer(keys.get(0), values.get(0));
    }
}
