// Why an image was not read. what() is the service's own sentence.
//
// Error                       500 and others  something broke; the service's log says what
// ├── RequestError            4xx             fix the request
// │   ├── InvalidRequest      400             not an image, a wrong parameter
// │   ├── Unauthorized        401             no API key, or one that isn't known
// │   ├── NotFound            404             no such model or service
// │   ├── TooLarge            413             more bytes or pixels than the limits
// │   └── UnsupportedMedia    415
// ├── RetryableError                          later, after retry_after
// │   ├── Overloaded          429             the service is full
// │   └── Unavailable         503             not ready, stopping, or out of reach
// └── DeadlineExceeded        504             no answer in time
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>

namespace ppocr {

struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
    virtual const char *name() const { return "Error"; }
};

// The request must be fixed: the same one would fail again.
struct RequestError : Error {
    using Error::Error;
    const char *name() const override { return "RequestError"; }
};

struct InvalidRequest : RequestError {
    using RequestError::RequestError;
    const char *name() const override { return "InvalidRequest"; }
};

struct Unauthorized : RequestError {
    using RequestError::RequestError;
    const char *name() const override { return "Unauthorized"; }
};

struct NotFound : RequestError {
    using RequestError::RequestError;
    const char *name() const override { return "NotFound"; }
};

struct TooLarge : RequestError {
    using RequestError::RequestError;
    const char *name() const override { return "TooLarge"; }
};

struct UnsupportedMedia : RequestError {
    using RequestError::RequestError;
    const char *name() const override { return "UnsupportedMedia"; }
};

// The same request may succeed after `retry_after`.
struct RetryableError : Error {
    RetryableError(const std::string &message, std::chrono::milliseconds after) : Error(message), retry_after(after) {}
    std::chrono::milliseconds retry_after;
    const char *name() const override { return "RetryableError"; }
};

struct Overloaded : RetryableError {
    using RetryableError::RetryableError;
    const char *name() const override { return "Overloaded"; }
};

struct Unavailable : RetryableError {
    using RetryableError::RetryableError;
    const char *name() const override { return "Unavailable"; }
};

struct DeadlineExceeded : Error {
    using Error::Error;
    const char *name() const override { return "DeadlineExceeded"; }
};

} // namespace ppocr
