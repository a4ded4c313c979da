// What is tried again and after how long, what statuses stand for, and base64.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "attempts.hpp"
#include "files.hpp"
#include "statuses.hpp"

using namespace ppocr;
using std::chrono::milliseconds;

namespace {
Options options(int seconds, int retries) {
    Options made;
    made.timeout = std::chrono::seconds(seconds);
    made.retries = retries;
    return made;
}
} // namespace

TEST_CASE("waits grow from what the service asked for") {
    Attempts attempts(options(60, 3));
    const Overloaded busy("busy", milliseconds(2000));
    milliseconds last(2000);
    for (int i = 0; i < 3; ++i) {
        const auto pause = attempts.pause(busy);
        REQUIRE(pause);
        CHECK(*pause > last - milliseconds(1));
        CHECK(*pause < milliseconds(3000));
        last = *pause;
    }
    CHECK_FALSE(attempts.pause(busy));
}

TEST_CASE("no wait goes past the timeout, and no try starts after it") {
    CHECK_FALSE(Attempts(options(1, 3)).pause(Unavailable("away", milliseconds(30'000))));
    CHECK_THROWS_WITH_AS(Attempts(options(0, 3)).remaining(), "no answer within 0 s", DeadlineExceeded);
}

TEST_CASE("only what may succeed later is tried again") {
    int tries = 0;
    const auto wrong = [&](milliseconds) -> int {
        ++tries;
        throw InvalidRequest("no");
    };
    CHECK_THROWS_AS(Attempts::run(options(60, 3), wrong), InvalidRequest);
    CHECK(tries == 1);
    tries = 0;
    const auto busy = [&](milliseconds) {
        if (++tries < 3) throw Overloaded("busy", milliseconds(0));
        return tries;
    };
    CHECK(Attempts::run(options(60, 3), busy) == 3);
}

TEST_CASE("statuses of HTTP") {
    CHECK_THROWS_AS(throw_of_http(400, "m", ""), InvalidRequest);
    CHECK_THROWS_AS(throw_of_http(401, "m", ""), Unauthorized);
    CHECK_THROWS_AS(throw_of_http(404, "m", ""), NotFound);
    CHECK_THROWS_AS(throw_of_http(413, "m", ""), TooLarge);
    CHECK_THROWS_AS(throw_of_http(415, "m", ""), UnsupportedMedia);
    CHECK_THROWS_AS(throw_of_http(429, "m", ""), Overloaded);
    CHECK_THROWS_AS(throw_of_http(503, "m", ""), Unavailable);
    CHECK_THROWS_AS(throw_of_http(504, "m", ""), DeadlineExceeded);
    CHECK_THROWS_WITH_AS(throw_of_http(405, "m", ""), "m (status 405)", RequestError);
    CHECK_THROWS_WITH_AS(throw_of_http(500, "m", ""), "m (status 500)", Error);
}

TEST_CASE("statuses of gRPC") {
    CHECK_THROWS_AS(throw_of_grpc(3, "m", ""), InvalidRequest);
    CHECK_THROWS_AS(throw_of_grpc(4, "m", ""), DeadlineExceeded);
    CHECK_THROWS_AS(throw_of_grpc(5, "m", ""), NotFound);
    CHECK_THROWS_AS(throw_of_grpc(8, "m", ""), Overloaded);
    CHECK_THROWS_AS(throw_of_grpc(8, "Received message larger than max (9 vs. 8)", ""), TooLarge);
    CHECK_THROWS_AS(throw_of_grpc(12, "m", ""), NotFound);
    CHECK_THROWS_AS(throw_of_grpc(14, "m", ""), Unavailable);
    CHECK_THROWS_AS(throw_of_grpc(16, "m", ""), Unauthorized);
    CHECK_THROWS_WITH_AS(throw_of_grpc(13, "m", ""), "m (code 13)", Error);
    try {
        throw_of_grpc(14, "m", "7");
    } catch (const Unavailable &error) {
        CHECK(error.retry_after == milliseconds(7000));
    }
}

TEST_CASE("Retry-After") {
    CHECK(retry_after("2") == milliseconds(2000));
    CHECK(retry_after("0.25") == milliseconds(250));
    for (const char *other : {"", "Wed, 21 Oct 2015 07:28:00 GMT", "-1", "nan", "inf", "1e99", "3 s"})
        CHECK(retry_after(other) == milliseconds(1000));
}

TEST_CASE("base64") {
    CHECK(base64("") == "");
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foo") == "Zm9v");
    CHECK(base64(std::string("\0\xff\xfe", 3)) == "AP/+");
}
