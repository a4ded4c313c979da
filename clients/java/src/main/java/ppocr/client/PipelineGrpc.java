package ppocr.client;

import io.grpc.MethodDescriptor;
import ppocr.pdserving.PdservingMessages.Request;
import ppocr.pdserving.PdservingMessages.Response;

/** The pipeline over gRPC. */
final class PipelineGrpc implements PipelineClient {
    private static final MethodDescriptor<Request, Response> INFERENCE = GrpcCalls.method(
        "baidu.paddle_serving.pipeline_serving.PipelineService/inference",
        Request.getDefaultInstance(), Response.getDefaultInstance());

    private final GrpcCalls calls;

    PipelineGrpc(String target, Options options) {
        calls = new GrpcCalls(target, options);
    }

    @Override
    public PipelineAnswer ask(String image) {
        Response answer = calls.call(INFERENCE, Request.newBuilder().addKey("image").addValue(image).build());
        return PipelineAnswer.of(answer.getErrNo(), answer.getErrMsg(), answer.getKeyList(), answer.getValueList());
    }

    @Override
    public void close() {
        calls.close();
    }
}
