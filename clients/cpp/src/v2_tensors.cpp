#include "v2_tensors.hpp"

#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

namespace ppocr {

namespace {

void fit(const std::string &what, size_t found, size_t expected) {
    if (found == expected) return;
    throw Error("the answer's tensors don't fit together: " + std::to_string(found) + " of " + what + ", expected " +
                std::to_string(expected));
}

// As it is on the wire: little-endian.
std::string length(size_t size) {
    std::string bytes;
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(size >> shift & 0xff);
    return bytes;
}

std::uint32_t word_at(const std::string &raw, size_t at) {
    std::uint32_t word = 0;
    for (size_t i = 0; i < 4; ++i) word |= std::uint32_t{static_cast<unsigned char>(raw[at + i])} << 8 * i;
    return word;
}

template <typename Number> Number number_of(std::uint32_t word) {
    Number number;
    static_assert(sizeof number == sizeof word);
    std::memcpy(&number, &word, sizeof word);
    return number;
}

inference::InferParameter parameter(const Parameters::mapped_type &value) {
    inference::InferParameter made;
    if (const bool *truth = std::get_if<bool>(&value)) {
        made.set_bool_param(*truth);
    } else if (const std::int64_t *whole = std::get_if<std::int64_t>(&value)) {
        made.set_int64_param(*whole);
    } else if (const double *fraction = std::get_if<double>(&value)) {
        std::ostringstream text; // KServe's servers drop doubles unread, so a fraction travels as text
        text.imbue(std::locale::classic());
        text.precision(17);
        text << *fraction;
        made.set_string_param(text.str());
    } else {
        made.set_string_param(std::get<std::string>(value));
    }
    return made;
}

// The raw outputs of an answer, by name.
class Tensors {
  public:
    explicit Tensors(const inference::ModelInferResponse &answer) {
        fit("raw contents", answer.raw_output_contents_size(), answer.outputs_size());
        for (int i = 0; i < answer.outputs_size(); ++i) raw_[answer.outputs(i).name()] = &answer.raw_output_contents(i);
    }

    bool has(const std::string &name) const { return raw_.count(name) > 0; }

    template <typename Number> std::vector<Number> numbers(const std::string &name) const {
        const std::string &raw = bytes(name);
        fit("bytes behind the last element of " + name, raw.size() % 4, 0);
        std::vector<Number> numbers;
        for (size_t at = 0; at < raw.size(); at += 4) numbers.push_back(number_of<Number>(word_at(raw, at)));
        return numbers;
    }

    std::vector<std::string> texts(const std::string &name) const {
        const std::string &raw = bytes(name);
        std::vector<std::string> texts;
        for (size_t at = 0; at < raw.size();) {
            const size_t left = raw.size() - at;
            const size_t size = left < 4 ? left : word_at(raw, at);
            if (left < 4 || size > left - 4) throw Error("the answer's tensor " + name + " ends within an element");
            texts.push_back(raw.substr(at + 4, size));
            at += 4 + size;
        }
        return texts;
    }

    // Texts, confidences and corners as one list.
    std::vector<Word> words(const std::string &text, const std::string &confidence, const std::string &points) const {
        const auto read = texts(text);
        const auto confidences = numbers<float>(confidence);
        const auto corners = numbers<float>(points);
        fit(confidence, confidences.size(), read.size());
        fit(points, corners.size(), 8 * read.size());
        std::vector<Word> words;
        for (size_t i = 0; i < read.size(); ++i) {
            Word word{read[i], confidences[i], {}};
            for (size_t at = 8 * i; at < 8 * i + 8; at += 2) word.points.push_back({corners[at], corners[at + 1]});
            words.push_back(std::move(word));
        }
        return words;
    }

  private:
    const std::string &bytes(const std::string &name) const {
        const auto found = raw_.find(name);
        if (found == raw_.end()) throw Error("the answer has no tensor " + name);
        return *found->second;
    }

    std::map<std::string, const std::string *> raw_;
};

// `items` in runs of `counts`, which must use them up.
template <typename Item>
std::vector<std::vector<Item>> cut(const std::string &what, const std::vector<Item> &items, const std::vector<int> &counts) {
    std::vector<std::vector<Item>> runs;
    auto at = items.begin();
    for (const int count : counts) {
        if (count < 0 || count > items.end() - at) fit(what, count, items.end() - at);
        runs.emplace_back(at, at + count);
        at += count;
    }
    fit(what, at - items.begin(), items.size());
    return runs;
}

std::vector<Line> lines(const Tensors &tensors) {
    std::vector<Line> lines;
    for (Word &word : tensors.words("text", "confidence", "points"))
        lines.push_back({std::move(word.text), word.confidence, std::move(word.points), 0, std::nullopt});
    if (tensors.has("line_angle")) {
        const auto angles = tensors.numbers<float>("line_angle");
        fit("line_angle", angles.size(), lines.size());
        for (size_t i = 0; i < lines.size(); ++i) lines[i].angle = angles[i];
    }
    if (tensors.has("word")) {
        const auto counts = tensors.numbers<int>("word_count");
        fit("word_count", counts.size(), lines.size());
        auto words = cut("word", tensors.words("word", "word_confidence", "word_points"), counts);
        for (size_t i = 0; i < lines.size(); ++i) lines[i].words = std::move(words[i]);
    }
    return lines;
}

std::string text_parameter(const inference::ModelInferResponse &answer, const std::string &name) {
    const auto found = answer.parameters().find(name);
    return found == answer.parameters().end() ? "" : found->second.string_param();
}

// All images were read by one model, or after a change between two of them each by its own.
std::vector<std::string> models(const inference::ModelInferResponse &answer, size_t images) {
    const std::string each = text_parameter(answer, "models");
    if (each.empty()) return std::vector<std::string>(images, text_parameter(answer, "model"));
    std::vector<std::string> models;
    std::istringstream names(each);
    for (std::string name; std::getline(names, name, ',');) models.push_back(name);
    fit("models", models.size(), images);
    return models;
}

std::vector<std::vector<std::string>> warnings(const inference::ModelInferResponse &answer, size_t images) {
    const std::string warned = text_parameter(answer, "warnings");
    std::vector<std::vector<std::string>> warnings(images);
    try {
        if (!warned.empty()) warnings = nlohmann::json::parse(warned).get<decltype(warnings)>();
    } catch (const nlohmann::json::exception &error) {
        throw Error(std::string("the answer's warnings can't be read: ") + error.what());
    }
    fit("warnings", warnings.size(), images);
    return warnings;
}

} // namespace

inference::ModelInferRequest v2_request(const std::string &model, const std::vector<std::string_view> &images,
                                        const Parameters &parameters) {
    inference::ModelInferRequest request;
    request.set_model_name(model);
    for (const auto &[name, value] : parameters) (*request.mutable_parameters())[name] = parameter(value);
    auto *input = request.add_inputs();
    input->set_name("image");
    input->set_datatype("BYTES");
    input->add_shape(static_cast<std::int64_t>(images.size()));
    std::string *tensor = request.add_raw_input_contents();
    for (const std::string_view image : images) tensor->append(length(image.size())).append(image);
    return request;
}

std::vector<Page> v2_pages(const inference::ModelInferResponse &answer, size_t images) {
    const Tensors tensors(answer);
    const auto counts = tensors.numbers<int>("count");
    const auto sizes = tensors.numbers<int>("size");
    const auto angles = tensors.has("angle") ? tensors.numbers<int>("angle") : std::vector<int>(images, 0);
    fit("count", counts.size(), images);
    fit("size", sizes.size(), 2 * images);
    fit("angle", angles.size(), images);
    auto own = cut("text", lines(tensors), counts);
    const auto models_of = models(answer, images);
    const auto warnings_of = warnings(answer, images);
    std::vector<Page> pages;
    for (size_t i = 0; i < images; ++i)
        pages.push_back({std::move(own[i]), sizes[2 * i], sizes[2 * i + 1], models_of[i], angles[i], warnings_of[i]});
    return pages;
}

} // namespace ppocr
