package ppocr.client;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import ppocr.inference.OpenInference.InferParameter;
import ppocr.inference.OpenInference.ModelInferRequest;
import ppocr.inference.OpenInference.ModelInferResponse;

/** From images to a V2 request, and from the flat tensors of an answer to pages. */
final class V2Tensors {
    private V2Tensors() {}

    static ModelInferRequest request(String model, List<byte[]> images, Map<String, ?> parameters) {
        ModelInferRequest.Builder request = ModelInferRequest.newBuilder().setModelName(model);
        parameters.forEach((name, value) -> request.putParameters(name, parameter(name, value)));
        request.addInputsBuilder().setName("image").setDatatype("BYTES").addShape(images.size());
        ByteString tensor = ByteString.EMPTY;
        for (byte[] image : images) {
            byte[] length = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(image.length).array();
            tensor = tensor.concat(UnsafeByteOperations.unsafeWrap(length)).concat(UnsafeByteOperations.unsafeWrap(image));
        }
        return request.addRawInputContents(tensor).build();
    }

    /** As KServe's servers understand it too: they drop doubles unread, so a fraction travels as text. */
    private static InferParameter parameter(String name, Object value) {
        InferParameter.Builder built = InferParameter.newBuilder();
        if (value instanceof Boolean truth) {
            return built.setBoolParam(truth).build();
        } else if (value instanceof Integer || value instanceof Long) {
            return built.setInt64Param(((Number) value).longValue()).build();
        } else if (value instanceof Double || value instanceof Float || value instanceof String) {
            return built.setStringParam(value.toString()).build();
        }
        throw new PpocrException.InvalidRequest("the parameter " + name + " must be a Boolean, a number or a String", null);
    }

    /** One page for each of {@code images} images. Throws PpocrException where the tensors don't fit together. */
    static List<Page> pages(ModelInferResponse answer, int images) {
        try {
            return fitted(answer, images);
        } catch (IllegalArgumentException | JsonParseException error) {
            throw new PpocrException("the answer's tensors don't fit together: " + error.getMessage(), error);
        }
    }

    private static List<Page> fitted(ModelInferResponse answer, int images) {
        fit("raw contents", answer.getRawOutputContentsCount(), answer.getOutputsCount());
        Map<String, ByteBuffer> raw = new HashMap<>();
        for (int i = 0; i < answer.getOutputsCount(); i++) {
            ByteBuffer content = answer.getRawOutputContents(i).asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            raw.put(answer.getOutputs(i).getName(), content);
        }
        Iterator<Line> lines = lines(raw).iterator();
        List<Integer> counts = whole(raw, "count");
        List<Integer> sizes = whole(raw, "size");
        List<Integer> angles = raw.containsKey("angle") ? whole(raw, "angle") : Collections.nCopies(images, 0);
        List<String> models = models(answer, images);
        List<List<String>> warnings = warnings(answer, images);
        fit("count", counts.size(), images);
        fit("size", sizes.size(), 2 * images);
        fit("angle", angles.size(), images);
        List<Page> pages = new ArrayList<>();
        for (int i = 0; i < images; i++) {
            List<Line> own = take(lines, counts.get(i));
            pages.add(new Page(own, sizes.get(2 * i), sizes.get(2 * i + 1), models.get(i), angles.get(i), warnings.get(i)));
        }
        if (lines.hasNext()) {
            throw new IllegalArgumentException("there are more lines than count says");
        }
        return List.copyOf(pages);
    }

    private static List<Line> lines(Map<String, ByteBuffer> raw) {
        List<Word> read = words(raw, "text", "confidence", "points");
        List<List<Word>> words = null;
        if (raw.containsKey("word")) {
            Iterator<Word> each = words(raw, "word", "word_confidence", "word_points").iterator();
            words = new ArrayList<>();
            for (int count : whole(raw, "word_count")) {
                words.add(take(each, count));
            }
            fit("word_count", words.size(), read.size());
            if (each.hasNext()) {
                throw new IllegalArgumentException("there are more words than word_count says");
            }
        }
        List<Double> angles = raw.containsKey("line_angle") ? fractions(raw, "line_angle") : null;
        fit("line_angle", angles == null ? read.size() : angles.size(), read.size());
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < read.size(); i++) {
            Word line = read.get(i);
            lines.add(new Line(line.text(), line.confidence(), line.points(), angles == null ? 0 : angles.get(i),
                words == null ? null : words.get(i)));
        }
        return lines;
    }

    /** Texts, confidences and corners as one list. */
    private static List<Word> words(Map<String, ByteBuffer> raw, String text, String confidence, String points) {
        List<String> texts = texts(raw, text);
        List<Double> confidences = fractions(raw, confidence);
        List<Double> corners = fractions(raw, points);
        fit(confidence, confidences.size(), texts.size());
        fit(points, corners.size(), 8 * texts.size());
        List<Word> words = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            List<Point> quadrilateral = new ArrayList<>();
            for (int at = 8 * i; at < 8 * i + 8; at += 2) {
                quadrilateral.add(new Point(corners.get(at), corners.get(at + 1)));
            }
            words.add(new Word(texts.get(i), confidences.get(i), List.copyOf(quadrilateral)));
        }
        return words;
    }

    private static List<String> texts(Map<String, ByteBuffer> raw, String name) {
        ByteBuffer content = tensor(raw, name, 1);
        List<String> texts = new ArrayList<>();
        while (content.hasRemaining()) {
            int length = content.remaining() < 4 ? -1 : content.getInt();
            if (length < 0 || length > content.remaining()) {
                throw new IllegalArgumentException(name + " ends within an element");
            }
            ByteBuffer text = content.slice(content.position(), length);
            content.position(content.position() + length);
            try {
                texts.add(StandardCharsets.UTF_8.newDecoder().decode(text).toString());
            } catch (CharacterCodingException error) {
                throw new IllegalArgumentException(name + " is not UTF-8", error);
            }
        }
        return texts;
    }

    private static List<Double> fractions(Map<String, ByteBuffer> raw, String name) {
        ByteBuffer content = tensor(raw, name, 4);
        List<Double> numbers = new ArrayList<>();
        while (content.hasRemaining()) {
            numbers.add((double) content.getFloat());
        }
        return numbers;
    }

    private static List<Integer> whole(Map<String, ByteBuffer> raw, String name) {
        ByteBuffer content = tensor(raw, name, 4);
        List<Integer> numbers = new ArrayList<>();
        while (content.hasRemaining()) {
            numbers.add(content.getInt());
        }
        return numbers;
    }

    private static ByteBuffer tensor(Map<String, ByteBuffer> raw, String name, int elementSize) {
        ByteBuffer content = raw.get(name);
        if (content == null || content.remaining() % elementSize != 0) {
            throw new IllegalArgumentException(content == null ? "no " + name : name + " ends within an element");
        }
        return content;
    }

    private static <T> List<T> take(Iterator<T> from, int count) {
        List<T> taken = new ArrayList<>();
        while (taken.size() < count && from.hasNext()) {
            taken.add(from.next());
        }
        fit("elements", taken.size(), count);
        return List.copyOf(taken);
    }

    /** All images were read by one model, or after a change between two of them each by its own. */
    private static List<String> models(ModelInferResponse answer, int images) {
        InferParameter each = answer.getParametersMap().get("models");
        InferParameter one = answer.getParametersOrDefault("model", InferParameter.getDefaultInstance());
        List<String> models = each == null
            ? Collections.nCopies(images, one.getStringParam())
            : List.of(each.getStringParam().split(",", -1));
        fit("models", models.size(), images);
        return models;
    }

    private static List<List<String>> warnings(ModelInferResponse answer, int images) {
        InferParameter warned = answer.getParametersMap().get("warnings");
        if (warned == null || warned.getStringParam().isEmpty()) {
            return Collections.nCopies(images, List.of());
        }
        String[][] read = new Gson().fromJson(warned.getStringParam(), String[][].class);
        fit("warnings", read.length, images);
        List<List<String>> warnings = new ArrayList<>();
        for (String[] own : read) {
            warnings.add(List.of(own));
        }
        return warnings;
    }

    private static void fit(String what, int found, int expected) {
        if (found != expected) {
            throw new IllegalArgumentException(found + " of " + what + ", expected " + expected);
        }
    }
}
