// Reads what Python's str() writes of lists, tuples, texts and numbers, which is the pipeline's answer. Nothing is evaluated.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace ppocr {

// Lists and tuples become arrays, numbers doubles. Throws Error, with the place, where `text` is no such literal.
nlohmann::json python_literal(const std::string &text);

} // namespace ppocr
