package ppocr.client;

import com.google.protobuf.Message;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;

/** A channel to the service, and calls on it with deadlines and retries. */
final class GrpcCalls implements AutoCloseable {
    private final Options options;
    private final ManagedChannel channel;
    private final Channel withHeaders;

    GrpcCalls(String target, Options options) {
        this.options = options;
        NettyChannelBuilder builder = NettyChannelBuilder.forTarget(target)
            .maxInboundMessageSize(Integer.MAX_VALUE) // the service says what is too large
            .defaultLoadBalancingPolicy("round_robin") // or all calls go to one of several addresses
            .disableRetry(); // `Attempts` retries, and knows retry-after
        if (options.certificate() != null) {
            try {
                builder.sslContext(GrpcSslContexts.forClient().trustManager(options.certificate().toFile()).build());
            } catch (SSLException | IllegalArgumentException error) {
                throw new PpocrException(options.certificate() + " is not a PEM file of certificates", error);
            }
        } else if (!options.tls()) {
            builder.usePlaintext();
        }
        channel = builder.build();
        Metadata headers = new Metadata();
        options.headers().forEach((name, value) ->
            headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
        withHeaders = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    /** The method {@code path}, "package.Service/Method", whose answers are messages like {@code answer}. */
    static <Q extends Message, A extends Message> MethodDescriptor<Q, A> method(String path, Q request, A answer) {
        return MethodDescriptor.<Q, A>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(path)
            .setRequestMarshaller(ProtoUtils.marshaller(request))
            .setResponseMarshaller(ProtoUtils.marshaller(answer))
            .build();
    }

    /** The answer, after as many tries as are allowed. Throws PpocrException. */
    <Q extends Message, A extends Message> A call(MethodDescriptor<Q, A> method, Q request) {
        return Attempts.run(options, left -> {
            CallOptions call = CallOptions.DEFAULT.withDeadlineAfter(left.toNanos(), TimeUnit.NANOSECONDS);
            try {
                return ClientCalls.blockingUnaryCall(withHeaders, method, call, request);
            } catch (StatusRuntimeException error) {
                throw Statuses.ofGrpc(error);
            }
        });
    }

    @Override
    public void close() {
        channel.shutdown();
        try {
            channel.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
        channel.shutdownNow();
    }
}
