// The pipeline's answers, and the texts of Python in them.
#include <cmath>
#include <doctest/doctest.h>

#include "pipeline.hpp"
#include "python_literal.hpp"

using namespace ppocr;

TEST_CASE("a result has texts, confidences and corners") {
    const PipelineAnswer answer{"result", "[[('Tax \"A\"', 0.9927), [[1.0, 2.0], [9.0, 2.0], [9.0, 4.5], [1.0, 4.5]]], "
                                          "[(\"it's €\", 1e-05), [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]]]"};
    const auto lines = answer.lines();
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].text == "Tax \"A\"");
    CHECK(lines[0].confidence == 0.9927);
    CHECK(lines[0].points.size() == 4);
    CHECK(lines[0].points[2].x == 9);
    CHECK(lines[0].points[2].y == 4.5);
    CHECK(lines[1].text == "it's €");
    CHECK(lines[1].confidence == 1e-05);
    CHECK(PipelineAnswer{"result", "[]"}.lines().empty());
}

TEST_CASE("an older result has texts alone") {
    const auto lines = PipelineAnswer{"res", "['one', 'two']"}.lines();
    REQUIRE(lines.size() == 2);
    CHECK(lines[1].text == "two");
    CHECK(std::isnan(lines[1].confidence));
    CHECK(lines[1].points.empty());
}

TEST_CASE("escapes of Python's texts") {
    CHECK(python_literal(R"('a\n\t\r\\\'"')") == "a\n\t\r\\'\"");
    CHECK(python_literal(R"('\xe9\u20ac\U0001f600')") == "é€😀");
    CHECK(python_literal("(1, -2.5, inf)").at(1) == -2.5);
    CHECK(std::isnan(python_literal("nan").get<double>()));
}

TEST_CASE("what is no list of lines") {
    for (const char *value : {"", "[", "[[('a', 0.5), [[1.0]]]]", "['a'", "[1]", "['\\q']", "['\\u12']", "'\\Uffffffff'", "{}", "[] []",
                              "[('a', 'b')]", "'a'", "[[('a', 0.5)]]", "__import__('os')"})
        CHECK_THROWS_AS((PipelineAnswer{"result", value}.lines()), Error);
    CHECK_THROWS_AS(python_literal(std::string(100'000, '[')), Error);
    CHECK_THROWS_AS((PipelineAnswer{"dt_boxes", "[[[1. 2.]]]"}.lines()), Error);
}

TEST_CASE("err_no") {
    CHECK(pipeline_answer(0, "", {"result"}, {"[]"}).value == "[]");
    CHECK_THROWS_WITH_AS(pipeline_answer(3002, "m", {}, {}), "m (err_no 3002)", NotFound);
    CHECK_THROWS_AS(pipeline_answer(6000, "m", {}, {}), DeadlineExceeded);
    CHECK_THROWS_AS(pipeline_answer(8000, "m", {}, {}), InvalidRequest);
    CHECK_THROWS_AS(pipeline_answer(10000, "m", {}, {}), InvalidRequest);
    CHECK_THROWS_AS(pipeline_answer(5, "m", {}, {}), Error);
    CHECK_THROWS_AS(pipeline_answer(0, "", {}, {}), Error);
}
