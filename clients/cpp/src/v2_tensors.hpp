// From images to a V2 request, and from the flat tensors of an answer to pages.
#pragma once

#include "open_inference.pb.h"
#include "ppocr/client.hpp"

namespace ppocr {

inference::ModelInferRequest v2_request(const std::string &model, const std::vector<std::string_view> &images,
                                        const Parameters &parameters);

// One page for each of `images` images. Throws Error where the tensors don't fit together.
std::vector<Page> v2_pages(const inference::ModelInferResponse &answer, size_t images);

} // namespace ppocr
