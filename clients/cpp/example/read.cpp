// Prints the lines of images: confidence, corners, text.  ppocr-read image.jpg
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>

#include "ppocr/client.hpp"

namespace {

constexpr char USAGE[] = R"(ppocr-read [OPTIONS] IMAGE...
  --grpc HOST:PORT           ask over V2 gRPC (127.0.0.1:8081)
  --pipeline-http URL        ask as PaddleServing's pipeline, at its path: http://127.0.0.1:8080/ocr/prediction
  --pipeline-grpc HOST:PORT  the same over gRPC
  --api-key KEY
  --certificate FILE         speak TLS, and trust this authority
  --timeout SECONDS          for one image, with all its tries (60)
  --retries N                (3)
)";

[[noreturn]] void usage() {
    std::cerr << USAGE;
    std::exit(2);
}

void print(const std::vector<ppocr::Line> &lines) {
    for (const ppocr::Line &line : lines) {
        std::printf("%.4f [", line.confidence);
        for (size_t i = 0; i < line.points.size(); ++i)
            std::printf("%s%g,%g", i == 0 ? "" : " ", line.points[i].x, line.points[i].y);
        std::printf("] %s\n", line.text.c_str());
    }
}

} // namespace

int main(int count, char **values) {
    ppocr::Options options;
    std::string way = "--grpc", address = "127.0.0.1:8081";
    std::deque<std::string> left(values + 1, values + count);
    while (!left.empty() && left.front().rfind("--", 0) == 0) {
        if (left.size() < 2) usage();
        const std::string name = left[0], value = left[1];
        left.erase(left.begin(), left.begin() + 2);
        if (name == "--grpc" || name == "--pipeline-http" || name == "--pipeline-grpc") {
            way = name;
            address = value;
        } else if (name == "--api-key") {
            options.api_key(value);
        } else if (name == "--certificate") {
            options.certificate = value;
        } else if (name == "--timeout") {
            options.timeout = std::chrono::milliseconds(std::lround(1000 * std::atof(value.c_str())));
        } else if (name == "--retries") {
            options.retries = std::atoi(value.c_str());
        } else {
            usage();
        }
    }
    if (left.empty()) usage();
    try {
        if (way == "--grpc") {
            const ppocr::V2Client client(address, options);
            for (const std::string &image : left) print(client.read_file(image).lines);
        } else {
            const auto client = way == "--pipeline-http" ? ppocr::PipelineClient::over_http(address, options)
                                                         : ppocr::PipelineClient::over_grpc(address, options);
            for (const std::string &image : left) print(client->read_file(image));
        }
    } catch (const ppocr::Error &error) {
        std::cerr << error.name() << ": " << error.what() << '\n';
        return 1;
    }
}
