// A channel to the service, and calls on it with deadlines and retries. gRPC's own headers stay in the .cpp file.
#pragma once

#include <memory>
#include <string>

#include "ppocr/client.hpp"

namespace ppocr {

class GrpcCalls {
  public:
    GrpcCalls(const std::string &target, const Options &options);
    ~GrpcCalls();

    // Sends a message to `method`, "/package.Service/Method", and returns its answer, both as protobuf writes them.
    std::string call(const std::string &method, const std::string &message) const;

  private:
    struct Channel;
    Options options_;
    std::unique_ptr<Channel> channel_;
};

} // namespace ppocr
