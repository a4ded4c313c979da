package ppocr.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import ppocr.inference.OpenInference.InferParameter;
import ppocr.inference.OpenInference.ModelInferResponse;

class V2TensorsTest {
    private static byte[] whole(int... numbers) {
        ByteBuffer raw = ByteBuffer.allocate(4 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int number : numbers) {
            raw.putInt(number);
        }
        return raw.array();
    }

    private static byte[] fractions(double... numbers) {
        ByteBuffer raw = ByteBuffer.allocate(4 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
        for (double number : numbers) {
            raw.putFloat((float) number);
        }
        return raw.array();
    }

    private static byte[] texts(String... texts) {
        ByteString raw = ByteString.EMPTY;
        for (String text : texts) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            raw = raw.concat(ByteString.copyFrom(whole(bytes.length))).concat(ByteString.copyFrom(bytes));
        }
        return raw.toByteArray();
    }

    private static byte[] corners(int lines) {
        return fractions(Stream.iterate(0, n -> n + 1).limit(8 * lines).mapToDouble(n -> n).toArray());
    }

    private static Map<String, byte[]> twoImages() {
        return new LinkedHashMap<>(Map.of(
            "text", texts("one", "two", "drei €"),
            "confidence", fractions(0.5, 0.25, 1),
            "points", corners(3),
            "count", whole(2, 1),
            "size", whole(100, 50, 30, 40)));
    }

    private static ModelInferResponse.Builder answer(Map<String, byte[]> tensors) {
        ModelInferResponse.Builder made = ModelInferResponse.newBuilder().putParameters("model", text("m/1"));
        tensors.forEach((name, content) -> {
            made.addOutputsBuilder().setName(name);
            made.addRawOutputContents(ByteString.copyFrom(content));
        });
        return made;
    }

    private static InferParameter text(String value) {
        return InferParameter.newBuilder().setStringParam(value).build();
    }

    @Test
    void aRequest() {
        Map<String, ?> parameters = Map.of(
            "return_word_box", true, "text_det_limit_side_len", 960, "text_det_thresh", 0.25, "text_det_box_type", "poly");
        var request = V2Tensors.request("ppocr", List.of("ab".getBytes(), "c".getBytes()), parameters);
        assertEquals("ppocr", request.getModelName());
        assertEquals("BYTES", request.getInputs(0).getDatatype());
        assertEquals(2, request.getInputs(0).getShape(0));
        assertArrayEquals(texts("ab", "c"), request.getRawInputContents(0).toByteArray());
        assertTrue(request.getParametersOrThrow("return_word_box").getBoolParam());
        assertEquals(960, request.getParametersOrThrow("text_det_limit_side_len").getInt64Param());
        assertEquals("0.25", request.getParametersOrThrow("text_det_thresh").getStringParam());
        assertEquals("poly", request.getParametersOrThrow("text_det_box_type").getStringParam());
        assertThrows(PpocrException.InvalidRequest.class, () -> V2Tensors.request("ppocr", List.of(), Map.of("x", List.of())));
    }

    @Test
    void linesBelongToTheirImages() {
        List<Page> pages = V2Tensors.pages(answer(twoImages()).build(), 2);
        assertEquals(List.of("one\ntwo", "drei €"), pages.stream().map(Page::text).toList());
        assertEquals(30, pages.get(1).width());
        assertEquals(40, pages.get(1).height());
        assertEquals("m/1", pages.get(0).model());
        Line line = pages.get(0).lines().get(1);
        assertEquals(0.25, line.confidence());
        assertEquals(new Point(8, 9), line.points().get(0));
        assertNull(line.words());
    }

    @Test
    void wordsAnglesModelsAndWarnings() {
        Map<String, byte[]> tensors = twoImages();
        tensors.put("word", texts("a", "b"));
        tensors.put("word_confidence", fractions(0.25, 0.5));
        tensors.put("word_points", corners(2));
        tensors.put("word_count", whole(0, 2, 0));
        tensors.put("angle", whole(90, 0));
        tensors.put("line_angle", fractions(0, 180, 0));
        List<Page> pages = V2Tensors.pages(
            answer(tensors).putParameters("models", text("m/1,m/2")).putParameters("warnings", text("[[], [\"small print\"]]")).build(), 2);
        assertEquals(List.of(), pages.get(0).lines().get(0).words());
        assertEquals("b", pages.get(0).lines().get(1).words().get(1).text());
        assertEquals(180, pages.get(0).lines().get(1).angle());
        assertEquals(90, pages.get(0).angle());
        assertEquals("m/2", pages.get(1).model());
        assertEquals(List.of("small print"), pages.get(1).warnings());
    }

    static Stream<Map.Entry<String, byte[]>> broken() {
        return Stream.of(
            Map.entry("text", texts("one")),
            Map.entry("text", new byte[] {1}),
            Map.entry("text", whole(-1)),
            Map.entry("text", new byte[] {1, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0}),
            Map.entry("count", whole(2, 7)),
            Map.entry("count", whole(4, -1)),
            Map.entry("count", whole(2, 0)),
            Map.entry("count", whole(3)),
            Map.entry("points", new byte[31]),
            Map.entry("confidence", new byte[0]),
            Map.entry("size", new byte[0]),
            Map.entry("angle", new byte[0]),
            Map.entry("line_angle", fractions(0)),
            Map.entry("word", new byte[0]));
    }

    @ParameterizedTest
    @MethodSource("broken")
    void tensorsThatDoNotFitTogether(Map.Entry<String, byte[]> changed) {
        Map<String, byte[]> tensors = twoImages();
        tensors.put(changed.getKey(), changed.getValue());
        assertThrows(PpocrException.class, () -> V2Tensors.pages(answer(tensors).build(), 2));
    }

    @Test
    void parametersThatDoNotFit() {
        var whole = answer(twoImages());
        assertThrows(PpocrException.class, () -> V2Tensors.pages(whole.clone().putParameters("warnings", text("[")).build(), 2));
        assertThrows(PpocrException.class, () -> V2Tensors.pages(whole.clone().putParameters("models", text("m/1")).build(), 2));
        assertThrows(PpocrException.class, () -> V2Tensors.pages(whole.clone().addOutputs(0, whole.getOutputs(0)).build(), 2));
    }
}
