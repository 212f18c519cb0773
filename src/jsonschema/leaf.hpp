/* SPDX-License-Identifier: Apache-2.0
 *
 * leaf.hpp - what a single value must be: its type, its bounds, its pattern.
 * In -> out: the keywords of a schema object -> compiled; a value -> whether it holds.
 * Owns: what was compiled.
 * Thread: read-only once it is compiled.
 * Keeps: numbers are compared exactly; nothing recurses by the length of a text. */
#ifndef WALPOST_JSONSCHEMA_LEAF_HPP
#define WALPOST_JSONSCHEMA_LEAF_HPP

#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>

#include "jsonschema/seam.h"

struct Bound {
    nlohmann::json limit;
};

struct Leaf {
    unsigned types = 0; /* 0: any */
    std::string type_words;
    std::vector<std::unique_ptr<valijson::adapters::FrozenValue>> values;
    bool has_values = false;
    std::string value_words;
    std::optional<std::wregex> pattern;
    std::string pattern_text;
    std::string format;
    std::optional<Bound> minimum, maximum, above, below;
    std::optional<nlohmann::json> divisor;
    uint64_t min_length = 0;
    uint64_t max_length = UINT64_MAX;
    bool unique = false;
};

/* Takes the keywords that it judges out of the schema object. False: there are none. Throws
 * std::exception where one of them has no sense. */
bool leaf_take(nlohmann::json &schema, Leaf &leaf);

/* SEAM_VALID, or what is wrong, and what was expected. */
seam_outcome leaf_judge(const Leaf &leaf, const valijson::adapters::Adapter &value,
                        std::string &expected);

/* The library compiles the regular expressions of patternProperties again for every name that it
 * tries them on, and each time the C++ library notes which letters it has narrowed, in a table that
 * all threads share: so all of them are noted while there is one thread. */
void leaf_note_letters();

/* Throws std::regex_error. */
std::wregex leaf_expression(const std::string &pattern);

#endif
