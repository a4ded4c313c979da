package ppocr.client;

import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

/**
 * Reads images as PaddleServing's pipeline does (PaddleOCR's deploy/pdserving): keys and values, over HTTP or gRPC. For programs
 * that ask old servers and this one; {@link V2Client} gets more. Threads may share one.
 *
 * <pre>{@code
 * try (PipelineClient client = PipelineClient.overHttp("http://localhost:8080/ocr/prediction")) {
 *     client.read(Path.of("receipt.jpg")).forEach(line -> System.out.println(line.text()));
 * }
 * }</pre>
 *
 * Every method throws {@link PpocrException} and no other.
 */
public interface PipelineClient extends AutoCloseable {
    /** @param url with its path, /NAME/prediction */
    static PipelineClient overHttp(String url) {
        return overHttp(url, Options.DEFAULT);
    }

    static PipelineClient overHttp(String url, Options options) {
        return new PipelineHttp(url, options);
    }

    /** @param target host:port */
    static PipelineClient overGrpc(String target) {
        return overGrpc(target, Options.DEFAULT);
    }

    static PipelineClient overGrpc(String target, Options options) {
        return new PipelineGrpc(target, options);
    }

    /** The value that answers {@code image}, the base64 of an image file, and its key. */
    PipelineAnswer ask(String image);

    /** The lines in the bytes of an image file. */
    default List<Line> read(byte[] image) {
        return ask(Base64.getEncoder().encodeToString(image)).lines();
    }

    default List<Line> read(Path image) {
        return read(V2Client.bytes(image));
    }

    @Override
    void close();
}
