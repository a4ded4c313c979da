// Reads the text in images through a running ppocr-serving.
//
//     ppocr::V2Client client("localhost:8081");
//     for (const ppocr::Line &line : client.read_file("receipt.jpg").lines) std::cout << line.text << '\n';
//
// Every function throws ppocr::Error (errors.hpp) and, for want of memory, std::bad_alloc. Threads may share a client.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ppocr/errors.hpp"

namespace ppocr {

// A place in the image as it is seen, after its EXIF orientation was applied, in pixels.
struct Point {
    double x = 0, y = 0;
};

// A part of a line. `confidence` is the mean of its characters, from 0 to 1.
struct Word {
    std::string text; // UTF-8
    double confidence = 0;
    std::vector<Point> points; // from the top left corner of the text clockwise
};

struct Line {
    std::string text;
    double confidence = 0;     // NaN where the answer has none: a pipeline that answers `res`
    std::vector<Point> points; // empty where the answer has none
    double angle = 0;          // degrees clockwise on the upright page: 180 where the line stands upside down, else 0
    std::optional<std::vector<Word>> words; // where `return_word_box` asked for them
};

// What was read in one image. Lines come in reading order.
struct Page {
    std::vector<Line> lines;
    int width = 0, height = 0; // of the image in pixels, after its EXIF orientation was applied
    std::string model;         // what read it, as name/version
    int angle = 0;             // degrees clockwise by which the page is turned in the image: 0, 90, 180 or 270
    std::vector<std::string> warnings; // sentences about what may be missing

    std::string text() const; // the texts of the lines, one below the other
};

// How to ask.
struct Options {
    // For one request with all its tries. The request carries it: the service computes nothing that comes too late.
    std::chrono::milliseconds timeout{60'000};
    // How often a request is sent again that the service turned away.
    int retries = 3;
    // Sent with every request, names in lower case: for a gateway's tokens or routing.
    std::map<std::string, std::string> headers;
    // gRPC speaks TLS; over HTTP the URL says it.
    bool tls = false;
    // PEM file of the authorities to trust in place of the system's. With one, gRPC speaks TLS.
    std::string certificate;

    // The service's --api_key_file lists the keys that it takes.
    Options &api_key(const std::string &key) {
        headers["authorization"] = "Bearer " + key;
        return *this;
    }
};

// docs/api.md lists them: {{"return_word_box", true}, {"text_rec_score_thresh", 0.5}}.
using Parameters = std::map<std::string, std::variant<bool, std::int64_t, double, std::string>>;

class GrpcCalls;

// Over V2 gRPC, KServe's Open Inference Protocol.
class V2Client {
  public:
    // `target`: host:port, or dns:///name:port to spread calls over a headless Service.
    explicit V2Client(const std::string &target, const Options &options = {}, std::string model = "ppocr");
    ~V2Client();

    // `image`: the bytes of an image file.
    Page read(std::string_view image, const Parameters &parameters = {}) const;
    Page read_file(const std::string &path, const Parameters &parameters = {}) const;
    // Several images that travel in one request; one bad image fails all of them.
    std::vector<Page> read_batch(const std::vector<std::string_view> &images, const Parameters &parameters = {}) const;
    // Whether a prediction would be accepted now.
    bool ready() const;

  private:
    std::unique_ptr<GrpcCalls> calls_;
    std::string model_;
};

// What the pipeline answered: `value` is the text of a list of Python.
struct PipelineAnswer {
    std::string key; // `result`; `res` of older services; `dt_boxes` of those that only find lines
    std::string value;

    // Of `result` with confidence and points, of `res` without.
    std::vector<Line> lines() const;
};

// As PaddleServing's pipeline (PaddleOCR's deploy/pdserving): keys and values. For programs that ask old servers and this one;
// V2Client gets more.
class PipelineClient {
  public:
    // `url` with its path: http://localhost:8080/ocr/prediction
    static std::unique_ptr<PipelineClient> over_http(const std::string &url, const Options &options = {});
    static std::unique_ptr<PipelineClient> over_grpc(const std::string &target, const Options &options = {});
    virtual ~PipelineClient() = default;

    // `image`: the base64 of an image file.
    virtual PipelineAnswer ask(const std::string &image) const = 0;
    std::vector<Line> read(std::string_view image) const;
    std::vector<Line> read_file(const std::string &path) const;
};

} // namespace ppocr
