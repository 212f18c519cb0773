/* SPDX-License-Identifier: Apache-2.0
 *
 * The library reads integers as doubles, cuts texts at a zero byte, compares all elements with each
 * other, and its regular expressions recurse for each letter: so these keywords are judged here. */
#include "jsonschema/leaf.hpp"

#include <climits>
#include <cmath>
#include <locale>
#include <unordered_set>

using nlohmann::json;
using valijson::adapters::Adapter;
using valijson::adapters::NlohmannJsonAdapter;

namespace
{

std::wstring wide(const std::string &text)
{
    std::wstring letters;
    for (size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i++]);
        unsigned more = first < 0xC0 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        wchar_t letter = first < 0x80 ? first : first & (0x3F >> more);
        for (; more > 0 && i < text.size(); more--) {
            letter = static_cast<wchar_t>(letter << 6 | (text[i++] & 0x3F));
        }
        letters.push_back(letter);
    }
    return letters;
}

} // namespace

void leaf_note_letters()
{
    const auto &letters = std::use_facet<std::ctype<char>>(std::locale());
    for (int letter = 0; letter <= UCHAR_MAX; letter++) {
        letters.narrow(static_cast<char>(letter), '\0');
    }
}

/* Linear in the text, and recursing by the expression alone; it refuses back-references. */
std::wregex leaf_expression(const std::string &pattern)
{
    const size_t pattern_max = 4096; /* it is compiled by recursion */
    if (pattern.size() > pattern_max) {
        throw std::regex_error(std::regex_constants::error_space);
    }
    return std::wregex(wide(pattern),
                       std::regex_constants::ECMAScript | std::regex_constants::__polynomial);
}

namespace
{

enum : unsigned {
    IS_NULL = 1,
    IS_BOOLEAN = 2,
    IS_INTEGER = 4,
    IS_NUMBER = 8,
    IS_STRING = 16,
    IS_ARRAY = 32,
    IS_OBJECT = 64,
};

const struct {
    const char *name;
    unsigned mask;
    const char *words;
} types[] = {
    {"null", IS_NULL, "null"},
    {"boolean", IS_BOOLEAN, "true or false"},
    {"integer", IS_INTEGER, "an integer"},
    {"number", IS_NUMBER | IS_INTEGER, "a number"},
    {"string", IS_STRING, "a string"},
    {"array", IS_ARRAY, "an array"},
    {"object", IS_OBJECT, "an object"},
};

unsigned type_of(const Adapter &value)
{
    if (value.isNull()) {
        return IS_NULL;
    }
    if (value.isBool()) {
        return IS_BOOLEAN;
    }
    if (value.isInteger()) {
        return IS_INTEGER;
    }
    if (value.isNumber()) {
        const double number = value.getDouble();
        return number == std::floor(number) ? IS_INTEGER : IS_NUMBER;
    }
    return value.isString() ? IS_STRING : value.isArray() ? IS_ARRAY : IS_OBJECT;
}

/* Below 0, 0 or above 0, exactly: a double does not hold every int64. */
int compare(int64_t number, double limit)
{
    if (limit >= 0x1p63) {
        return -1;
    }
    if (limit < -0x1p63) {
        return 1;
    }
    const double below = std::floor(limit);
    const auto whole = static_cast<int64_t>(below);
    if (number != whole) {
        return number < whole ? -1 : 1;
    }
    return below < limit ? -1 : 0;
}

template <typename T> int compare(T left, T right)
{
    return left < right ? -1 : static_cast<int>(left > right);
}

int compare(const Adapter &value, const json &limit)
{
    if (value.isInteger()) {
        return limit.is_number_integer() ? compare(value.getInteger(), limit.get<int64_t>())
                                         : compare(value.getInteger(), limit.get<double>());
    }
    return limit.is_number_integer() ? -compare(limit.get<int64_t>(), value.getDouble())
                                     : compare(value.getDouble(), limit.get<double>());
}

bool is_multiple(const Adapter &value, const json &divisor)
{
    if (value.isInteger() && divisor.is_number_integer()) {
        return value.getInteger() % divisor.get<int64_t>() == 0;
    }
    /* Decimal fractions are rounded before they get here. */
    const double number =
        value.isInteger() ? static_cast<double>(value.getInteger()) : value.getDouble();
    const double quotient = number / divisor.get<double>();
    const double away = std::fabs(quotient - std::round(quotient));
    return std::fabs(quotient) < 1e12 && away <= 1e-9 + std::fabs(quotient) * 0x1p-51;
}

/* Equal values, and only those, have the same text. */
void append_key(const Adapter &value, std::string &key)
{
    const unsigned type = type_of(value);
    key += static_cast<char>('a' + std::log2(type));
    if (type == IS_STRING) {
        const std::string text = value.asString();
        key += std::to_string(text.size()) + ":" + text;
    } else if (type == IS_BOOLEAN) {
        key += value.getBool() ? '1' : '0';
    } else if (value.isInteger()) {
        key += std::to_string(value.getInteger()) + ";";
    } else if (value.isNumber()) {
        char text[64];
        std::snprintf(text, sizeof(text), "%a;", value.getDouble());
        key += text;
    } else if (type == IS_ARRAY) {
        value.applyToArray([&key](const Adapter &element) {
            append_key(element, key);
            return true;
        });
        key += ']';
    } else if (type == IS_OBJECT) {
        value.applyToObject([&key](const std::string &name, const Adapter &member) {
            key += std::to_string(name.size()) + ":" + name;
            append_key(member, key);
            return true;
        });
        key += '}';
    }
}

bool all_differ(const Adapter &array)
{
    std::unordered_set<std::string> seen;
    return array.applyToArray([&seen](const Adapter &element) {
        std::string key;
        append_key(element, key);
        return seen.insert(std::move(key)).second;
    });
}

std::string count_words(const char *what, uint64_t count, const char *of)
{
    return std::string("a text of ") + what + " " + std::to_string(count) + " " + of;
}

seam_outcome judge_text(const Leaf &leaf, const std::string &text, std::string &expected)
{
    uint64_t letters = 0;
    for (const char byte : text) {
        letters += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
    }
    if (letters < leaf.min_length) {
        expected = count_words("at least", leaf.min_length, "characters");
        return SEAM_RANGE;
    }
    if (letters > leaf.max_length) {
        expected = count_words("at most", leaf.max_length, "characters");
        return SEAM_RANGE;
    }
    if (leaf.pattern && !std::regex_search(wide(text), *leaf.pattern)) {
        expected = "a text that matches " + leaf.pattern_text;
        return SEAM_FORMAT;
    }
    if (!format_holds(leaf.format.c_str(), text.data(), text.size())) {
        expected = "a text of the format " + leaf.format;
        return SEAM_FORMAT;
    }
    return SEAM_VALID;
}

seam_outcome judge_number(const Leaf &leaf, const Adapter &value, std::string &expected)
{
    if (leaf.minimum && compare(value, leaf.minimum->limit) < 0) {
        expected = "a number of at least " + leaf.minimum->limit.dump();
    } else if (leaf.maximum && compare(value, leaf.maximum->limit) > 0) {
        expected = "a number of at most " + leaf.maximum->limit.dump();
    } else if (leaf.above && compare(value, leaf.above->limit) <= 0) {
        expected = "a number above " + leaf.above->limit.dump();
    } else if (leaf.below && compare(value, leaf.below->limit) >= 0) {
        expected = "a number below " + leaf.below->limit.dump();
    } else if (leaf.divisor && !is_multiple(value, *leaf.divisor)) {
        expected = "a multiple of " + leaf.divisor->dump();
    } else {
        return SEAM_VALID;
    }
    return SEAM_RANGE;
}

} // namespace

seam_outcome leaf_judge(const Leaf &leaf, const Adapter &value, std::string &expected)
{
    const unsigned type = type_of(value);
    if (leaf.types != 0 && (leaf.types & type) == 0) {
        expected = leaf.type_words;
        return SEAM_TYPE;
    }
    bool listed = !leaf.has_values;
    for (const auto &allowed : leaf.values) {
        listed = listed || allowed->equalTo(value, true);
    }
    if (!listed) {
        expected = leaf.value_words;
        return SEAM_ENUM;
    }
    if (type == IS_STRING) {
        return judge_text(leaf, value.asString(), expected);
    }
    if (type == IS_INTEGER || type == IS_NUMBER) {
        return judge_number(leaf, value, expected);
    }
    if (type == IS_ARRAY && leaf.unique && !all_differ(value)) {
        expected = "elements that differ from each other";
        return SEAM_DUPLICATE;
    }
    return SEAM_VALID;
}

/* --- compiling -------------------------------------------------------------------------------- */

namespace
{

[[noreturn]] void refuse(const std::string &keyword, const char *wanted)
{
    throw std::runtime_error("\"" + keyword + "\" must be " + wanted);
}

void take_type(Leaf &leaf, const json &value)
{
    const json names = value.is_array() ? value : json::array({value});
    for (const auto &name : names) {
        bool known = false;
        for (const auto &type : types) {
            if (name == type.name) {
                leaf.types |= type.mask;
                leaf.type_words +=
                    (leaf.type_words.empty() ? "" : " or ") + std::string(type.words);
                known = true;
            }
        }
        if (!known) {
            refuse("type", "one of JSON's types, or a list of them");
        }
    }
    if (leaf.types == 0) {
        refuse("type", "one of JSON's types, or a list of them");
    }
}

void take_values(Leaf &leaf, const json &values, std::string words)
{
    /* Both enum and const: what both allow. */
    std::vector<std::unique_ptr<valijson::adapters::FrozenValue>> allowed;
    for (const auto &value : values) {
        bool before = !leaf.has_values;
        for (const auto &other : leaf.values) {
            before = before || other->equalTo(NlohmannJsonAdapter(value), true);
        }
        if (before) {
            allowed.emplace_back(NlohmannJsonAdapter(value).freeze());
        }
    }
    leaf.values = std::move(allowed);
    leaf.has_values = true;
    leaf.value_words = std::move(words);
}

uint64_t count_of(const std::string &keyword, const json &value)
{
    if (!value.is_number_integer() || value.get<int64_t>() < 0) {
        refuse(keyword, "a number of letters");
    }
    return static_cast<uint64_t>(value.get<int64_t>());
}

void take_bound(std::optional<Bound> &bound, const std::string &keyword, const json &value)
{
    if (!value.is_number()) {
        refuse(keyword, "a number");
    }
    bound = Bound{value};
}

std::string text_of(const std::string &keyword, const json &value)
{
    if (!value.is_string()) {
        refuse(keyword, "a string");
    }
    return value.get<std::string>();
}

void take_divisor(Leaf &leaf, const json &value)
{
    if (!value.is_number() || value.get<double>() <= 0) {
        refuse("multipleOf", "a number above zero");
    }
    leaf.divisor = value;
}

void take_one(Leaf &leaf, const std::string &keyword, const json &value)
{
    if (keyword == "type") {
        take_type(leaf, value);
    } else if (keyword == "enum") {
        if (!value.is_array()) {
            refuse(keyword, "a list");
        }
        take_values(leaf, value, "one of " + value.dump());
    } else if (keyword == "const") {
        take_values(leaf, json::array({value}), "the value " + value.dump());
    } else if (keyword == "pattern") {
        leaf.pattern_text = text_of(keyword, value);
        leaf.pattern = leaf_expression(leaf.pattern_text);
    } else if (keyword == "format") {
        leaf.format = text_of(keyword, value);
    } else if (keyword == "minimum") {
        take_bound(leaf.minimum, keyword, value);
    } else if (keyword == "maximum") {
        take_bound(leaf.maximum, keyword, value);
    } else if (keyword == "exclusiveMinimum") {
        take_bound(leaf.above, keyword, value);
    } else if (keyword == "exclusiveMaximum") {
        take_bound(leaf.below, keyword, value);
    } else if (keyword == "multipleOf") {
        take_divisor(leaf, value);
    } else if (keyword == "minLength") {
        leaf.min_length = count_of(keyword, value);
    } else if (keyword == "maxLength") {
        leaf.max_length = count_of(keyword, value);
    } else {
        if (!value.is_boolean()) {
            refuse(keyword, "true or false");
        }
        leaf.unique = value.get<bool>();
    }
}

const char *const keywords[] = {
    "type",       "enum",      "const",       "pattern",          "format",
    "multipleOf", "minimum",   "maximum",     "exclusiveMinimum", "exclusiveMaximum",
    "minLength",  "maxLength", "uniqueItems",
};

} // namespace

bool leaf_take(json &schema, Leaf &leaf)
{
    bool any = false;
    for (const char *keyword : keywords) {
        const auto member = schema.find(keyword);
        if (member != schema.end()) {
            take_one(leaf, keyword, *member);
            schema.erase(member);
            any = true;
        }
    }
    return any;
}
