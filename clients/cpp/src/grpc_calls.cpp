#include "grpc_calls.hpp"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "attempts.hpp"
#include "files.hpp"
#include "statuses.hpp"

namespace ppocr {

namespace {

std::shared_ptr<grpc::Channel> channel(const std::string &target, const Options &options) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1); // the service says what is too large
    arguments.SetMaxSendMessageSize(-1);
    arguments.SetLoadBalancingPolicyName("round_robin"); // or all calls go to one of several addresses
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);        // Attempts retries, and knows retry-after
    if (!options.tls && options.certificate.empty())
        return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
    grpc::SslCredentialsOptions ssl;
    if (!options.certificate.empty()) ssl.pem_root_certs = read_bytes(options.certificate);
    return grpc::CreateCustomChannel(target, grpc::SslCredentials(ssl), arguments);
}

std::string bytes(const grpc::ByteBuffer &buffer) {
    std::vector<grpc::Slice> slices;
    if (!buffer.Dump(&slices).ok()) throw Error("the answer can't be read");
    std::string all;
    all.reserve(buffer.Length());
    for (const grpc::Slice &slice : slices) all.append(reinterpret_cast<const char *>(slice.begin()), slice.size());
    return all;
}

} // namespace

struct GrpcCalls::Channel {
    grpc::GenericStub stub;
};

GrpcCalls::GrpcCalls(const std::string &target, const Options &options)
    : options_(options), channel_(new Channel{grpc::GenericStub(channel(target, options))}) {}

GrpcCalls::~GrpcCalls() = default;

std::string GrpcCalls::call(const std::string &method, const std::string &message) const {
    const grpc::Slice slice(message);
    const grpc::ByteBuffer request(&slice, 1);
    return Attempts::run(options_, [&](std::chrono::milliseconds left) {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + left);
        for (const auto &[name, value] : options_.headers) context.AddMetadata(name, value);
        grpc::CompletionQueue queue;
        grpc::ByteBuffer answer;
        grpc::Status status;
        const auto call = channel_->stub.PrepareUnaryCall(&context, method, request, &queue);
        call->StartCall();
        call->Finish(&answer, &status, nullptr);
        void *tag = nullptr;
        bool ok = false;
        queue.Next(&tag, &ok); // the deadline ends it, too
        if (status.ok()) return bytes(answer);
        const auto &trailers = context.GetServerTrailingMetadata();
        const auto after = trailers.find("retry-after");
        const std::string retry_after = after == trailers.end() ? "" : std::string(after->second.data(), after->second.size());
        const std::string sentence = status.error_message();
        throw_of_grpc(status.error_code(), sentence.empty() ? "the service gave no reason" : sentence, retry_after);
    });
}

} // namespace ppocr
