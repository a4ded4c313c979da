// From a status of gRPC or HTTP to the error that it stands for.
#pragma once

#include <chrono>
#include <string>

namespace ppocr {

// `code`: a number of grpc::StatusCode. `retry_after`: the trailing metadata of that name, empty where there is none.
[[noreturn]] void throw_of_grpc(int code, const std::string &message, const std::string &retry_after);

// `retry_after`: the header of that name, empty where there is none.
[[noreturn]] void throw_of_http(long status, const std::string &message, const std::string &retry_after);

// Of a Retry-After in seconds. One second without it, and for a date, which proxies may send.
std::chrono::milliseconds retry_after(const std::string &value);

} // namespace ppocr
