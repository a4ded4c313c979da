package ppocr.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PipelineAnswerTest {
    @Test
    void aResultHasTextsConfidencesAndCorners() {
        var lines = new PipelineAnswer("result", """
            [[('Tax "A"', 0.9927), [[1.0, 2.0], [9.0, 2.0], [9.0, 4.5], [1.0, 4.5]]], \
            [("it's €", 1e-05), [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]]]""").lines();
        assertEquals(2, lines.size());
        assertEquals("Tax \"A\"", lines.get(0).text());
        assertEquals(0.9927, lines.get(0).confidence());
        assertEquals(4, lines.get(0).points().size());
        assertEquals(new Point(9, 4.5), lines.get(0).points().get(2));
        assertEquals("it's €", lines.get(1).text());
        assertEquals(1e-05, lines.get(1).confidence());
        assertEquals(List.of(), new PipelineAnswer("result", "[]").lines());
    }

    @Test
    void anOlderResultHasTextsAlone() {
        var lines = new PipelineAnswer("res", "['one', 'two']").lines();
        assertEquals(List.of("one", "two"), lines.stream().map(Line::text).toList());
        assertTrue(Double.isNaN(lines.get(0).confidence()));
        assertEquals(List.of(), lines.get(0).points());
    }

    @Test
    void escapesOfPythonsTexts() {
        assertEquals("a\n\t\r\\'\"", PythonLiteral.parse("'a\\n\\t\\r\\\\\\'\"'"));
        assertEquals("é€😀", PythonLiteral.parse("'\\xe9\\u20ac\\U0001f600'"));
        assertEquals(List.of(1.0, -2.5, Double.POSITIVE_INFINITY), PythonLiteral.parse("(1, -2.5, inf)"));
        assertEquals(Double.NaN, PythonLiteral.parse("nan"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[", "[[('a', 0.5), [[1.0]]]]", "['a'", "[1]", "['\\q']", "['\\u12']", "'\\Uffffffff'", "{}", "[] []",
        "[('a', 'b')]", "'a'", "[[('a', 0.5)]]", "__import__('os')"})
    void whatIsNoListOfLines(String value) {
        assertThrows(PpocrException.class, () -> new PipelineAnswer("result", value).lines());
    }

    @Test
    void whatIsTooDeepOrHoldsNoText() {
        assertThrows(PpocrException.class, () -> new PipelineAnswer("result", "[".repeat(100_000)).lines());
        assertThrows(PpocrException.class, () -> new PipelineAnswer("dt_boxes", "[[[1. 2.]]]").lines());
    }

    @Test
    void errNo() {
        assertEquals("[]", PipelineAnswer.of(0, "", List.of("result"), List.of("[]")).value());
        assertEquals("m (err_no 3002)", failed(PpocrException.NotFound.class, 3002));
        failed(PpocrException.DeadlineExceeded.class, 6000);
        failed(PpocrException.InvalidRequest.class, 8000);
        failed(PpocrException.InvalidRequest.class, 10000);
        failed(PpocrException.class, 5);
        assertThrows(PpocrException.class, () -> PipelineAnswer.of(0, "", List.of(), List.of()));
    }

    private static String failed(Class<? extends PpocrException> kind, int errNo) {
        return assertThrows(kind, () -> PipelineAnswer.of(errNo, "m", List.of(), List.of())).getMessage();
    }
}
