#pragma once

#include <string>
#include <string_view>

namespace ppocr {

// The bytes of a file. Throws InvalidRequest where it can't be read.
std::string read_bytes(const std::string &path);

std::string base64(std::string_view bytes);

} // namespace ppocr
