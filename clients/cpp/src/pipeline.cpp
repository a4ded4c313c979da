#include "pipeline.hpp"

#include <limits>

#include "files.hpp"
#include "grpc_calls.hpp"
#include "pdserving_messages.pb.h"
#include "python_literal.hpp"

namespace ppocr {

namespace {

// Of [('text', 0.99), [[x, y], …]].
Line line(const nlohmann::json &item) {
    Line line;
    line.text = item.at(0).at(0).get<std::string>();
    line.confidence = item.at(0).at(1).get<double>();
    for (const auto &point : item.at(1)) line.points.push_back({point.at(0).get<double>(), point.at(1).get<double>()});
    return line;
}

class OverGrpc : public PipelineClient {
  public:
    OverGrpc(const std::string &target, const Options &options) : calls_(target, options) {}

    PipelineAnswer ask(const std::string &image) const override {
        pdserving::Request request;
        request.add_key("image");
        request.add_value(image);
        pdserving::Response answer;
        if (!answer.ParseFromString(calls_.call("/baidu.paddle_serving.pipeline_serving.PipelineService/inference",
                                                request.SerializeAsString())))
            throw Error("the answer is not the pipeline's");
        return pipeline_answer(answer.err_no(), answer.err_msg(), {answer.key().begin(), answer.key().end()},
                               {answer.value().begin(), answer.value().end()});
    }

  private:
    GrpcCalls calls_;
};

} // namespace

PipelineAnswer pipeline_answer(int err_no, const std::string &message, const std::vector<std::string> &keys,
                               const std::vector<std::string> &values) {
    const std::string sentence = message + " (err_no " + std::to_string(err_no) + ")";
    switch (err_no) {
    case 0:
        break;
    case 3002:
        throw NotFound(sentence);
    case 6000:
        throw DeadlineExceeded(sentence);
    case 8000:
    case 10000:
        throw InvalidRequest(sentence);
    default:
        throw Error(sentence);
    }
    if (keys.empty() || values.empty()) throw Error("the pipeline's answer has no value");
    return {keys.front(), values.front()};
}

std::vector<Line> PipelineAnswer::lines() const {
    if (key != "result" && key != "res") throw Error("the answer has the key '" + key + "', which holds no text");
    const nlohmann::json items = python_literal(value);
    std::vector<Line> lines;
    try {
        for (const auto &item : items.get_ref<const nlohmann::json::array_t &>()) {
            if (key == "result") {
                lines.push_back(line(item));
            } else {
                lines.push_back({item.get<std::string>(), std::numeric_limits<double>::quiet_NaN(), {}, 0, std::nullopt});
            }
        }
    } catch (const nlohmann::json::exception &error) {
        throw Error(std::string("the pipeline's value is not a list of lines: ") + error.what());
    }
    return lines;
}

std::unique_ptr<PipelineClient> PipelineClient::over_grpc(const std::string &target, const Options &options) {
    return std::make_unique<OverGrpc>(target, options);
}

std::vector<Line> PipelineClient::read(std::string_view image) const { return ask(base64(image)).lines(); }

std::vector<Line> PipelineClient::read_file(const std::string &path) const { return read(read_bytes(path)); }

} // namespace ppocr
