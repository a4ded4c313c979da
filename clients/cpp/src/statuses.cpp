#include "statuses.hpp"

#include <cstdlib>

#include "ppocr/errors.hpp"

namespace ppocr {

namespace {
// The codes of gRPC, which are the same in every language.
enum Code {
    CANCELLED = 1,
    UNKNOWN = 2,
    INVALID_ARGUMENT = 3,
    DEADLINE_EXCEEDED = 4,
    NOT_FOUND = 5,
    RESOURCE_EXHAUSTED = 8,
    UNIMPLEMENTED = 12,
    UNAVAILABLE = 14,
    UNAUTHENTICATED = 16
};
} // namespace

void throw_of_grpc(int code, const std::string &message, const std::string &after) {
    switch (code) {
    case INVALID_ARGUMENT:
        throw InvalidRequest(message);
    case UNAUTHENTICATED:
        throw Unauthorized(message);
    case NOT_FOUND:
    case UNIMPLEMENTED:
        throw NotFound(message);
    case RESOURCE_EXHAUSTED:
        // gRPC itself refuses a message over a size limit with the code of a full queue. It is too large every time.
        if (message.find("larger than max") != std::string::npos) throw TooLarge(message);
        throw Overloaded(message, retry_after(after));
    case UNAVAILABLE:
    case CANCELLED: // this and UNKNOWN are gRPC's own, for a server that went away under a call
    case UNKNOWN:
        throw Unavailable(message, retry_after(after));
    case DEADLINE_EXCEEDED:
        throw DeadlineExceeded(message);
    default:
        throw Error(message + " (code " + std::to_string(code) + ")");
    }
}

void throw_of_http(long status, const std::string &message, const std::string &after) {
    switch (status) {
    case 400:
        throw InvalidRequest(message);
    case 401:
        throw Unauthorized(message);
    case 404:
        throw NotFound(message);
    case 413:
        throw TooLarge(message);
    case 415:
        throw UnsupportedMedia(message);
    case 429:
        throw Overloaded(message, retry_after(after));
    case 503:
        throw Unavailable(message, retry_after(after));
    case 504:
        throw DeadlineExceeded(message);
    default:
        const std::string full = message + " (status " + std::to_string(status) + ")";
        if (status >= 400 && status < 500) throw RequestError(full);
        throw Error(full);
    }
}

std::chrono::milliseconds retry_after(const std::string &value) {
    char *end = nullptr;
    const double seconds = std::strtod(value.c_str(), &end);
    // Also false where it is NaN; a day is more than any caller waits.
    const bool good = !value.empty() && *end == '\0' && seconds >= 0 && seconds <= 86'400;
    return std::chrono::milliseconds(good ? static_cast<long>(seconds * 1000) : 1000);
}

} // namespace ppocr
