#include "attempts.hpp"

#include <cmath>
#include <random>
#include <sstream>
#include <thread>

namespace ppocr {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

Attempts::Attempts(const Options &options)
    : timeout_(options.timeout), until_(steady_clock::now() + options.timeout), retries_(options.retries) {}

milliseconds Attempts::remaining() const {
    const auto left = duration_cast<milliseconds>(until_ - steady_clock::now());
    if (left.count() <= 0) {
        std::ostringstream message;
        message << "no answer within " << timeout_.count() / 1000.0 << " s";
        throw DeadlineExceeded(message.str());
    }
    return left;
}

std::optional<milliseconds> Attempts::pause(const RetryableError &error) {
    if (made_ >= retries_) return std::nullopt;
    thread_local std::minstd_rand random{std::random_device{}()};
    const double scattered = std::uniform_real_distribution(100.0, 200.0)(random) * std::pow(2, made_);
    const auto pause = error.retry_after + milliseconds(static_cast<long>(scattered));
    ++made_;
    if (steady_clock::now() + pause >= until_) return std::nullopt;
    return pause;
}

void Attempts::wait(milliseconds pause) { std::this_thread::sleep_for(pause); }

} // namespace ppocr
