#include "python_literal.hpp"

#include <cctype>
#include <cstring>
#include <limits>
#include <locale>
#include <sstream>
#include <string_view>

#include "ppocr/errors.hpp"

namespace ppocr {

namespace {

constexpr int MAX_DEPTH = 16;

void append_utf8(std::string &text, unsigned long point) {
    if (point < 0x80) {
        text += static_cast<char>(point);
        return;
    }
    const int rest = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    text += static_cast<char>((0xff00 >> (rest + 1) & 0xff) | point >> 6 * rest);
    for (int i = rest - 1; i >= 0; --i) text += static_cast<char>(0x80 | (point >> 6 * i & 0x3f));
}

class Reader {
  public:
    explicit Reader(const std::string &text) : text_(text) {}

    nlohmann::json all() {
        nlohmann::json value = this->value(0);
        skip_space();
        if (at_ != text_.size()) unexpected();
        return value;
    }

  private:
    nlohmann::json value(int depth) {
        if (depth > MAX_DEPTH) throw Error("lists are nested more than " + std::to_string(MAX_DEPTH) + " deep");
        skip_space();
        switch (peek()) {
        case '[':
            return items(']', depth);
        case '(':
            return items(')', depth);
        case '\'':
        case '"':
            return string();
        default:
            return number();
        }
    }

    nlohmann::json items(char end, int depth) {
        ++at_;
        nlohmann::json items = nlohmann::json::array();
        skip_space();
        while (peek() != end) {
            items.push_back(value(depth + 1));
            skip_space();
            if (peek() == ',') {
                ++at_;
                skip_space();
            } else if (peek() != end) {
                unexpected();
            }
        }
        ++at_;
        return items;
    }

    std::string string() {
        const char quote = text_[at_++];
        std::string read;
        while (peek() != quote) {
            if (at_ == text_.size()) unexpected();
            const char next = text_[at_++];
            if (next != '\\') {
                read += next;
                continue;
            }
            escape(read);
        }
        ++at_;
        return read;
    }

    void escape(std::string &read) {
        const char kind = peek();
        const size_t known = std::string_view("ntr\\'\"").find(kind);
        const size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
        if (kind != '\0' && known != std::string_view::npos) {
            read += "\n\t\r\\'\""[known];
            ++at_;
        } else if (digits > 0 && at_ + 1 + digits <= text_.size()) {
            const std::string hexadecimal = text_.substr(at_ + 1, digits);
            if (hexadecimal.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) unexpected();
            const unsigned long point = std::stoul(hexadecimal, nullptr, 16);
            if (point > 0x10ffff) unexpected();
            append_utf8(read, point);
            at_ += 1 + digits;
        } else {
            unexpected();
        }
    }

    double number() {
        const size_t start = at_;
        while (std::isalnum(static_cast<unsigned char>(peek())) || (peek() != '\0' && std::strchr("+-.", peek()))) ++at_;
        const std::string word = text_.substr(start, at_ - start);
        if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
        if (word == "inf" || word == "-inf") return (word[0] == '-' ? -1 : 1) * std::numeric_limits<double>::infinity();
        std::istringstream digits(word);
        digits.imbue(std::locale::classic());
        double number = 0;
        if (!(digits >> number) || digits.peek() != std::istringstream::traits_type::eof()) {
            at_ = start;
            unexpected();
        }
        return number;
    }

    void skip_space() {
        while (std::isspace(static_cast<unsigned char>(peek()))) ++at_;
    }

    // The next character; 0, which begins nothing, behind the end.
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    [[noreturn]] void unexpected() const { throw Error("not a list of Python at character " + std::to_string(at_)); }

    const std::string &text_;
    size_t at_ = 0;
};

} // namespace

nlohmann::json python_literal(const std::string &text) { return Reader(text).all(); }

} // namespace ppocr
