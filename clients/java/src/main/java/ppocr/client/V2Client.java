package ppocr.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import io.grpc.MethodDescriptor;
import ppocr.inference.OpenInference.ModelInferRequest;
import ppocr.inference.OpenInference.ModelInferResponse;
import ppocr.inference.OpenInference.ModelReadyRequest;
import ppocr.inference.OpenInference.ModelReadyResponse;

/**
 * Reads images over V2 gRPC (KServe's Open Inference Protocol); threads may share one.
 *
 * <pre>{@code
 * try (V2Client client = new V2Client("localhost:8081")) {
 *     System.out.println(client.read(Path.of("receipt.jpg")).text());
 * }
 * }</pre>
 *
 * Every method throws {@link PpocrException} and no other.
 */
public final class V2Client implements AutoCloseable {
    private static final String SERVICE = "inference.GRPCInferenceService/";
    private static final MethodDescriptor<ModelInferRequest, ModelInferResponse> INFER = GrpcCalls.method(
        SERVICE + "ModelInfer", ModelInferRequest.getDefaultInstance(), ModelInferResponse.getDefaultInstance());
    private static final MethodDescriptor<ModelReadyRequest, ModelReadyResponse> READY = GrpcCalls.method(
        SERVICE + "ModelReady", ModelReadyRequest.getDefaultInstance(), ModelReadyResponse.getDefaultInstance());

    private final GrpcCalls calls;
    private final String model;

    /** @param target {@code host:port}, or {@code dns:///name:port} to spread calls over a headless Service */
    public V2Client(String target) {
        this(target, Options.DEFAULT, "ppocr");
    }

    public V2Client(String target, Options options) {
        this(target, options, "ppocr");
    }

    public V2Client(String target, Options options, String model) {
        this.calls = new GrpcCalls(target, options);
        this.model = model;
    }

    /** The text in the bytes of an image file. */
    public Page read(byte[] image) {
        return read(image, Map.of());
    }

    public Page read(Path image) {
        return read(bytes(image), Map.of());
    }

    /**
     * @param parameters docs/api.md lists them: {@code Map.of("return_word_box", true)}. Values are Boolean, Integer, Long,
     *     Double or String.
     */
    public Page read(byte[] image, Map<String, ?> parameters) {
        return readBatch(List.of(image), parameters).get(0);
    }

    /** The texts of several images that travel in one request; one bad image fails all of them. */
    public List<Page> readBatch(List<byte[]> images, Map<String, ?> parameters) {
        ModelInferRequest request = V2Tensors.request(model, images, parameters);
        return V2Tensors.pages(calls.call(INFER, request), images.size());
    }

    /** Whether a prediction would be accepted now. */
    public boolean ready() {
        try {
            return calls.call(READY, ModelReadyRequest.newBuilder().setName(model).build()).getReady();
        } catch (PpocrException error) {
            return false;
        }
    }

    @Override
    public void close() {
        calls.close();
    }

    static byte[] bytes(Path image) {
        try {
            return Files.readAllBytes(image);
        } catch (IOException error) {
            throw new PpocrException.InvalidRequest(image + " can't be read", error);
        }
    }
}
