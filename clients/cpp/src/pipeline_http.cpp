// The pipeline over HTTP, by libcurl.
#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>

#include "attempts.hpp"
#include "pipeline.hpp"
#include "statuses.hpp"

namespace ppocr {

namespace {

struct FreeHandle {
    void operator()(CURL *handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;

struct FreeList {
    void operator()(curl_slist *list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

struct Response {
    long status = 0;
    std::string body, retry_after;
};

size_t take_body(char *data, size_t, size_t size, void *response) {
    static_cast<Response *>(response)->body.append(data, size);
    return size;
}

size_t take_header(char *data, size_t, size_t size, void *response) {
    std::string line(data, size);
    const size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (name == "retry-after" && colon != std::string::npos) {
        const size_t first = line.find_first_not_of(" \t", colon + 1), last = line.find_last_not_of(" \t\r\n");
        static_cast<Response *>(response)->retry_after = first <= last ? line.substr(first, last - first + 1) : "";
    }
    return size;
}

// A member of an object, or nothing where there is none of that type.
template <typename T> std::optional<T> member(const nlohmann::json &object, const char *name) {
    try {
        return object.at(name).get<T>();
    } catch (const nlohmann::json::exception &) {
        return std::nullopt;
    }
}

PipelineAnswer answer_of(const Response &response) {
    const auto json = nlohmann::json::parse(response.body, nullptr, false); // a proxy's page, and the gateway's 404, are none
    const auto keys = member<std::vector<std::string>>(json, "key");
    const auto values = member<std::vector<std::string>>(json, "value");
    if (response.status == 200 && keys && values)
        return pipeline_answer(member<int>(json, "err_no").value_or(0), member<std::string>(json, "err_msg").value_or(""),
                               *keys, *values);
    throw_of_http(response.status,
                  member<std::string>(json, "error")
                      .value_or("the answer is not the pipeline's: is this the address of ppocr-serving?"),
                  response.retry_after);
}

class OverHttp : public PipelineClient {
  public:
    OverHttp(const std::string &url, const Options &options) : url_(url), options_(options) {
        static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
        if (started != CURLE_OK) throw Error(curl_easy_strerror(started));
    }

    PipelineAnswer ask(const std::string &image) const override {
        const nlohmann::json request{{"key", nlohmann::json::array({"image"})}, {"value", nlohmann::json::array({image})}};
        const std::string body = request.dump();
        return Attempts::run(options_, [&](std::chrono::milliseconds left) {
            Handle handle = taken();
            const Response response = send(handle.get(), body, left);
            give(std::move(handle));
            return answer_of(response);
        });
    }

  private:
    Response send(CURL *handle, const std::string &body, std::chrono::milliseconds left) const {
        Response response;
        // The gateway's own header for the deadline: at most 8 digits and a unit.
        const std::string timeout = "Grpc-Timeout: " + std::to_string(std::min<long>(99'999'999, left.count())) + "m";
        List headers(curl_slist_append(nullptr, timeout.c_str()));
        curl_slist_append(headers.get(), "Expect:"); // no waiting for a "100 Continue"
        curl_slist_append(headers.get(), "Content-Type:");
        for (const auto &[name, value] : options_.headers) curl_slist_append(headers.get(), (name + ": " + value).c_str());
        curl_easy_setopt(handle, CURLOPT_URL, url_.c_str());
        curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.c_str());
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
        curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
        curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
        curl_easy_setopt(handle, CURLOPT_WRITEDATA, &response);
        curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
        curl_easy_setopt(handle, CURLOPT_HEADERDATA, &response);
        if (!options_.certificate.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, options_.certificate.c_str());
        check(curl_easy_perform(handle));
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &response.status);
        curl_easy_reset(handle); // keeps its connections
        return response;
    }

    void check(CURLcode code) const {
        switch (code) {
        case CURLE_OK:
            return;
        case CURLE_COULDNT_CONNECT:
        case CURLE_COULDNT_RESOLVE_HOST: // it was never sent, so it may be sent again
            throw Unavailable(url_ + " can't be reached", std::chrono::milliseconds(0));
        case CURLE_OPERATION_TIMEDOUT: {
            std::ostringstream message;
            message << "no answer within " << options_.timeout.count() / 1000.0 << " s";
            throw DeadlineExceeded(message.str());
        }
        default: // not sent again: the image may be in the works
            throw Error(url_ + ": " + curl_easy_strerror(code));
        }
    }

    // A handle with the connections of an earlier call; one call has it at a time.
    Handle taken() const {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) return Handle(curl_easy_init());
        Handle handle = std::move(idle_.back());
        idle_.pop_back();
        return handle;
    }

    void give(Handle handle) const {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(handle));
    }

    std::string url_;
    Options options_;
    mutable std::mutex mutex_;
    mutable std::vector<Handle> idle_;
};

} // namespace

std::unique_ptr<PipelineClient> PipelineClient::over_http(const std::string &url, const Options &options) {
    return std::make_unique<OverHttp>(url, options);
}

} // namespace ppocr
