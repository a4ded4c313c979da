// Requests as tensors, and tensors as pages.
#include <cstring>
#include <doctest/doctest.h>

#include "v2_tensors.hpp"

using namespace ppocr;

namespace {

template <typename Number> std::string raw(const std::vector<Number> &numbers) {
    std::string bytes(numbers.size() * sizeof(Number), '\0');
    std::memcpy(bytes.data(), numbers.data(), bytes.size()); // the tests run on little-endian machines
    return bytes;
}

std::string raw(const std::vector<std::string> &texts) {
    std::string bytes;
    for (const std::string &text : texts) bytes += raw(std::vector<std::uint32_t>{std::uint32_t(text.size())}) + text;
    return bytes;
}

std::vector<float> corners(size_t lines) {
    std::vector<float> points;
    for (size_t i = 0; i < 8 * lines; ++i) points.push_back(i);
    return points;
}

using Raw = std::map<std::string, std::string>;

Raw two_images() {
    return {{"text", raw(std::vector<std::string>{"one", "two", "drei €"})},
            {"confidence", raw(std::vector<float>{0.5, 0.25, 1})},
            {"points", raw(corners(3))},
            {"count", raw(std::vector<std::int32_t>{2, 1})},
            {"size", raw(std::vector<std::int32_t>{100, 50, 30, 40})}};
}

inference::ModelInferResponse answer(const Raw &tensors) {
    inference::ModelInferResponse made;
    (*made.mutable_parameters())["model"].set_string_param("m/1");
    for (const auto &[name, content] : tensors) {
        made.add_outputs()->set_name(name);
        made.add_raw_output_contents(content);
    }
    return made;
}

} // namespace

TEST_CASE("a request") {
    const Parameters parameters{{"return_word_box", true}, {"text_det_limit_side_len", 960}, {"text_det_thresh", 0.25},
                                {"text_det_box_type", "poly"}};
    const auto request = v2_request("ppocr", {"ab", "c"}, parameters);
    CHECK(request.model_name() == "ppocr");
    CHECK(request.inputs(0).datatype() == "BYTES");
    CHECK(request.inputs(0).shape(0) == 2);
    CHECK(request.raw_input_contents(0) == std::string("\2\0\0\0ab\1\0\0\0c", 11));
    CHECK(request.parameters().at("return_word_box").bool_param());
    CHECK(request.parameters().at("text_det_limit_side_len").int64_param() == 960);
    CHECK(request.parameters().at("text_det_thresh").string_param() == "0.25");
    CHECK(request.parameters().at("text_det_box_type").string_param() == "poly");
}

TEST_CASE("lines belong to their images") {
    const auto pages = v2_pages(answer(two_images()), 2);
    REQUIRE(pages.size() == 2);
    CHECK(pages[0].text() == "one\ntwo");
    CHECK(pages[1].text() == "drei €");
    CHECK(pages[1].width == 30);
    CHECK(pages[1].height == 40);
    CHECK(pages[0].model == "m/1");
    CHECK(pages[0].lines[1].confidence == 0.25);
    CHECK(pages[0].lines[1].points[0].x == 8);
    CHECK_FALSE(pages[0].lines[1].words);
}

TEST_CASE("words, angles, models and warnings") {
    Raw tensors = two_images();
    tensors["word"] = raw(std::vector<std::string>{"a", "b"});
    tensors["word_confidence"] = raw(std::vector<float>{0.25, 0.5});
    tensors["word_points"] = raw(corners(2));
    tensors["word_count"] = raw(std::vector<std::int32_t>{0, 2, 0});
    tensors["angle"] = raw(std::vector<std::int32_t>{90, 0});
    tensors["line_angle"] = raw(std::vector<float>{0, 180, 0});
    auto made = answer(tensors);
    (*made.mutable_parameters())["models"].set_string_param("m/1,m/2");
    (*made.mutable_parameters())["warnings"].set_string_param(R"([[], ["small print"]])");
    const auto pages = v2_pages(made, 2);
    CHECK(pages[0].lines[0].words->empty());
    CHECK(pages[0].lines[1].words->at(1).text == "b");
    CHECK(pages[0].lines[1].angle == 180);
    CHECK(pages[0].angle == 90);
    CHECK(pages[1].model == "m/2");
    CHECK(pages[0].warnings.empty());
    CHECK(pages[1].warnings == std::vector<std::string>{"small print"});
}

TEST_CASE("tensors that don't fit together") {
    const std::vector<std::pair<std::string, std::string>> broken{{"text", raw(std::vector<std::string>{"one"})},
                     {"text", "\xff"},
                     {"text", raw(std::vector<std::uint32_t>{0xffffffff})},
                     {"count", raw(std::vector<std::int32_t>{2, 7})},
                     {"count", raw(std::vector<std::int32_t>{4, -1})},
                     {"count", raw(std::vector<std::int32_t>{2, 0})},
                     {"count", raw(std::vector<std::int32_t>{3})},
                     {"points", std::string(31, '\0')},
                     {"confidence", ""},
                     {"size", ""},
                     {"angle", ""},
                     {"line_angle", raw(std::vector<float>{0})},
                     {"word", ""}};
    for (const auto &[name, content] : broken) {
        Raw tensors = two_images();
        tensors[name] = content;
        INFO(name);
        CHECK_THROWS_AS(v2_pages(answer(tensors), 2), Error);
    }
    auto made = answer(two_images());
    made.add_outputs()->set_name("more");
    CHECK_THROWS_AS(v2_pages(made, 2), Error);
    made = answer(two_images());
    (*made.mutable_parameters())["warnings"].set_string_param("[");
    CHECK_THROWS_AS(v2_pages(made, 2), Error);
    (*made.mutable_parameters())["warnings"].clear_string_param();
    (*made.mutable_parameters())["models"].set_string_param("m/1");
    CHECK_THROWS_AS(v2_pages(made, 2), Error);
}
