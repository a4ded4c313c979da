#pragma once

#include "ppocr/client.hpp"

namespace ppocr {

// Of an answer's members over either protocol. Throws what `err_no` stands for where it isn't 0.
PipelineAnswer pipeline_answer(int err_no, const std::string &message, const std::vector<std::string> &keys,
                               const std::vector<std::string> &values);

} // namespace ppocr
