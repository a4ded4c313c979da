// When a request is sent again, and how long to wait for that.
#pragma once

#include <chrono>

#include "ppocr/client.hpp"

namespace ppocr {

// One request's time and tries. The timeout covers all tries and the waits between them.
class Attempts {
  public:
    explicit Attempts(const Options &options);

    // What is left for the next try. Throws DeadlineExceeded where there is nothing.
    std::chrono::milliseconds remaining() const;

    // The wait before the next try: at least what the service asked for, then growing and scattered, so that clients turned away
    // together don't come back together. None where another try is not allowed or would come too late.
    std::optional<std::chrono::milliseconds> pause(const RetryableError &error);

    // Calls `once` with the time that is left, until it returns or may not be called again.
    template <typename Once> static auto run(const Options &options, Once once) {
        Attempts attempts(options);
        while (true) {
            try {
                return once(attempts.remaining());
            } catch (const RetryableError &error) {
                const auto pause = attempts.pause(error);
                if (!pause) throw;
                wait(*pause);
            }
        }
    }

  private:
    static void wait(std::chrono::milliseconds pause);

    std::chrono::milliseconds timeout_;
    std::chrono::steady_clock::time_point until_;
    int retries_;
    int made_ = 0;
};

} // namespace ppocr
