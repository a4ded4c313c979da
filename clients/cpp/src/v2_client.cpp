#include "files.hpp"
#include "grpc_calls.hpp"
#include "v2_tensors.hpp"

namespace ppocr {

namespace {
const std::string SERVICE = "/inference.GRPCInferenceService/";
} // namespace

V2Client::V2Client(const std::string &target, const Options &options, std::string model)
    : calls_(std::make_unique<GrpcCalls>(target, options)), model_(std::move(model)) {}

V2Client::~V2Client() = default;

Page V2Client::read(std::string_view image, const Parameters &parameters) const {
    return std::move(read_batch({image}, parameters).front());
}

Page V2Client::read_file(const std::string &path, const Parameters &parameters) const {
    return read(read_bytes(path), parameters);
}

std::vector<Page> V2Client::read_batch(const std::vector<std::string_view> &images, const Parameters &parameters) const {
    const std::string request = v2_request(model_, images, parameters).SerializeAsString();
    inference::ModelInferResponse answer;
    if (!answer.ParseFromString(calls_->call(SERVICE + "ModelInfer", request))) throw Error("the answer is not of V2");
    return v2_pages(answer, images.size());
}

bool V2Client::ready() const {
    inference::ModelReadyRequest request;
    request.set_name(model_);
    inference::ModelReadyResponse answer;
    try {
        return answer.ParseFromString(calls_->call(SERVICE + "ModelReady", request.SerializeAsString())) && answer.ready();
    } catch (const Error &) {
        return false;
    }
}

std::string Page::text() const {
    std::string text;
    for (const Line &line : lines) text.append(&line == &lines.front() ? "" : "\n").append(line.text);
    return text;
}

} // namespace ppocr
