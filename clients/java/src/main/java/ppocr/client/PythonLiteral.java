package ppocr.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads what Python's {@code str()} writes of lists, tuples, texts and numbers, which is the pipeline's answer. Lists and tuples
 * become List, texts String, numbers Double. Nothing is evaluated.
 */
final class PythonLiteral {
    private static final int MAX_DEPTH = 16;
    private static final Map<Character, Character> ESCAPES =
        Map.of('n', '\n', 't', '\t', 'r', '\r', '\\', '\\', '\'', '\'', '"', '"');
    private static final Map<Character, Integer> HEXADECIMAL = Map.of('x', 2, 'u', 4, 'U', 8);

    private final String text;
    private int at;

    private PythonLiteral(String text) {
        this.text = text;
    }

    /** Throws IllegalArgumentException, with the place, where {@code text} is no such literal. */
    static Object parse(String text) {
        PythonLiteral reader = new PythonLiteral(text);
        Object value = reader.value(0);
        reader.skipSpace();
        if (reader.at != text.length()) {
            throw reader.unexpected();
        }
        return value;
    }

    private Object value(int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("lists are nested more than " + MAX_DEPTH + " deep");
        }
        skipSpace();
        return switch (peek()) {
            case '[' -> items(']', depth);
            case '(' -> items(')', depth);
            case '\'', '"' -> string();
            default -> number();
        };
    }

    private List<Object> items(char end, int depth) {
        at++;
        List<Object> items = new ArrayList<>();
        skipSpace();
        while (peek() != end) {
            items.add(value(depth + 1));
            skipSpace();
            if (peek() == ',') {
                at++;
                skipSpace();
            } else if (peek() != end) {
                throw unexpected();
            }
        }
        at++;
        return items;
    }

    private String string() {
        char quote = text.charAt(at++);
        StringBuilder read = new StringBuilder();
        while (peek() != quote) {
            if (at == text.length()) {
                throw unexpected();
            }
            char next = text.charAt(at++);
            if (next != '\\') {
                read.append(next);
                continue;
            }
            char escape = peek();
            at++;
            if (ESCAPES.containsKey(escape)) {
                read.append((char) ESCAPES.get(escape));
            } else if (HEXADECIMAL.containsKey(escape)) {
                int end = at + HEXADECIMAL.get(escape);
                if (end > text.length()) {
                    throw unexpected();
                }
                read.appendCodePoint(Integer.parseInt(text.substring(at, end), 16));
                at = end;
            } else {
                throw unexpected();
            }
        }
        at++;
        return read.toString();
    }

    private Double number() {
        int start = at;
        while (at < text.length() && "+-.eE".indexOf(text.charAt(at)) >= 0 || Character.isLetterOrDigit(peek())) {
            at++;
        }
        String word = text.substring(start, at);
        try {
            return switch (word) {
                case "nan" -> Double.NaN;
                case "inf" -> Double.POSITIVE_INFINITY;
                case "-inf" -> Double.NEGATIVE_INFINITY;
                default -> Double.valueOf(word);
            };
        } catch (NumberFormatException error) {
            at = start;
            throw unexpected();
        }
    }

    private void skipSpace() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    /** The next character; 0, which begins nothing, behind the end. */
    private char peek() {
        return at < text.length() ? text.charAt(at) : 0;
    }

    private IllegalArgumentException unexpected() {
        return new IllegalArgumentException("not a list of Python at character " + at);
    }
}
