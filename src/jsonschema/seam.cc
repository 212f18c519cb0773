/* SPDX-License-Identifier: Apache-2.0
 *
 * valijson walks the schema: properties, items, references, allOf and its kin. What a single value
 * must be is judged by one constraint of our own for each schema object (leaf.cc). */
#include "jsonschema/seam.h"

#include <cmath>
#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <valijson/constraint_builder.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "jsonschema/leaf.hpp"

using nlohmann::json;
using valijson::adapters::Adapter;
using valijson::adapters::NlohmannJsonAdapter;

namespace
{

/* --- reading JSON ----------------------------------------------------------------------------- */

/* Numbers that are equal become the same: 1.0 is 1. */
json number_of(double value)
{
    const double exact = 9007199254740992.0; /* 2^53 */
    if (std::fabs(value) <= exact && value == std::floor(value)) {
        return json(static_cast<int64_t>(value));
    }
    return json(value);
}

class Builder : public nlohmann::json_sax<json>
{
  public:
    json root;
    seam_outcome trouble = SEAM_VALID;
    size_t name_max = SIZE_MAX;

    bool null() override
    {
        return add(json(nullptr));
    }
    bool boolean(bool value) override
    {
        return add(json(value));
    }
    bool number_integer(number_integer_t value) override
    {
        return add(json(value));
    }
    bool number_unsigned(number_unsigned_t value) override
    {
        return add(value <= INT64_MAX ? json(static_cast<int64_t>(value))
                                      : json(static_cast<double>(value)));
    }
    bool number_float(number_float_t value, const string_t &) override
    {
        return add(number_of(value));
    }
    bool string(string_t &value) override
    {
        return add(json(std::move(value)));
    }
    bool binary(binary_t &) override
    {
        return false;
    }
    bool start_object(std::size_t) override
    {
        return open(json::object());
    }
    bool start_array(std::size_t) override
    {
        return open(json::array());
    }
    bool end_object() override
    {
        outer_.pop_back();
        return true;
    }
    bool end_array() override
    {
        outer_.pop_back();
        return true;
    }
    bool key(string_t &name) override
    {
        name_ = std::move(name);
        if (outer_.back()->contains(name_)) {
            trouble = SEAM_NAME_TWICE;
        } else if (name_.size() > name_max) {
            trouble = SEAM_NAME_TOO_LONG;
        }
        return trouble == SEAM_VALID;
    }
    bool parse_error(std::size_t, const std::string &, const json::exception &error) override
    {
        const int out_of_range = 406;
        trouble = error.id == out_of_range ? SEAM_NUMBER_TOO_LARGE : SEAM_UNREADABLE;
        return false;
    }

    /* The way to where reading stopped. */
    std::vector<std::string> path() const
    {
        std::vector<std::string> parts;
        for (size_t i = 0; i + 1 < outer_.size(); i++) {
            if (outer_[i]->is_array()) {
                parts.push_back(std::to_string(outer_[i]->size() - 1));
                continue;
            }
            for (const auto &member : outer_[i]->items()) {
                if (&member.value() == outer_[i + 1]) {
                    parts.push_back(member.key());
                }
            }
        }
        if (!outer_.empty()) {
            const bool in_array = outer_.back()->is_array();
            parts.push_back(in_array ? std::to_string(outer_.back()->size()) : name_);
        }
        return parts;
    }

  private:
    std::vector<json *> outer_;
    std::string name_;

    json *place(json &&value)
    {
        if (outer_.empty()) {
            root = std::move(value);
            return &root;
        }
        if (outer_.back()->is_array()) {
            outer_.back()->push_back(std::move(value));
            return &outer_.back()->back();
        }
        return &((*outer_.back())[name_] = std::move(value));
    }
    bool add(json &&value)
    {
        place(std::move(value));
        return true;
    }
    bool open(json &&value)
    {
        outer_.push_back(place(std::move(value)));
        return true;
    }
};

/* Words of our own are told from the library's by this, with the outcome behind it. */
const char own_words = '\x01';

class LeafConstraint : public valijson::constraints::PolyConstraint
{
  public:
    explicit LeafConstraint(const Leaf &leaf) : leaf_(&leaf)
    {
    }

    bool validate(const Adapter &target, const std::vector<std::string> &context,
                  valijson::ValidationResults *results) const override
    {
        std::string expected;
        const seam_outcome outcome = leaf_judge(*leaf_, target, expected);
        if (outcome != SEAM_VALID && results != nullptr) {
            const char mark[] = {own_words, static_cast<char>('A' + outcome)};
            results->pushError(context, std::string(mark, sizeof(mark)) + expected);
        }
        return outcome == SEAM_VALID;
    }

  private:
    const Leaf *leaf_;

    Constraint *cloneInto(void *memory) const override
    {
        return new (memory) LeafConstraint(*this);
    }
    size_t sizeOf() const override
    {
        return sizeof(*this);
    }
};

/* --- compiling -------------------------------------------------------------------------------- */

const char leaf_keyword[] = "walpost";

class LeafBuilder : public valijson::ConstraintBuilder
{
  public:
    explicit LeafBuilder(const std::deque<Leaf> &leaves) : leaves_(leaves)
    {
    }

    valijson::constraints::Constraint *make(const Adapter &index) const override
    {
        return new LeafConstraint(leaves_.at(static_cast<size_t>(index.getInteger())));
    }

  private:
    const std::deque<Leaf> &leaves_;
};

const char *const with_schema[] = {"not",
                                   "if",
                                   "then",
                                   "else",
                                   "contains",
                                   "items",
                                   "additionalItems",
                                   "additionalProperties",
                                   "propertyNames"};
const char *const with_schemas[] = {"allOf",        "anyOf",       "oneOf",
                                    "items",        "properties",  "patternProperties",
                                    "dependencies", "definitions", "$defs"};
const char *const annotations[] = {"id",    "$id",     "$schema",  "$comment",
                                   "title", "default", "examples", "description"};

} // namespace

struct seam {
    std::deque<Leaf> leaves; /* do not move */
    valijson::Schema schema;
    bool has_name_patterns = false;
};

namespace
{

class Preparation
{
  public:
    Preparation(seam &seam, json &root) : seam_(seam), root_(root)
    {
    }

    /* Leaves out what only describes, and puts the number of a leaf where its keywords were. */
    void prepare(json &schema)
    {
        if (!schema.is_object()) {
            return; /* true or false */
        }
        if (!done_.insert(&schema).second) {
            return;
        }
        for (const char *name : annotations) {
            schema.erase(name);
        }
        if (schema.contains("$ref")) {
            prepare_target(schema["$ref"].get<std::string>());
        } else {
            Leaf &leaf = seam_.leaves.emplace_back();
            if (leaf_take(schema, leaf)) {
                schema[leaf_keyword] = seam_.leaves.size() - 1;
            } else {
                seam_.leaves.pop_back();
            }
        }
        for (const char *name : with_schema) {
            if (schema.contains(name)) {
                prepare(schema[name]);
            }
        }
        for (const char *name : with_schemas) {
            if (schema.contains(name)) {
                for (auto &inner : schema[name]) {
                    prepare(inner);
                }
            }
        }
        if (schema.contains("patternProperties")) {
            seam_.has_name_patterns = true;
            leaf_note_letters();
            for (const auto &member : schema["patternProperties"].items()) {
                leaf_expression(member.key());
            }
        }
    }

  private:
    seam &seam_;
    json &root_;
    std::set<const json *> done_;

    /* The way has been vetted: it is local, and leads to a schema. */
    void prepare_target(const std::string &reference)
    {
        prepare(root_.at(json::json_pointer(reference.substr(1))));
    }
};

void compile(const char *text, size_t len, seam &seam)
{
    Builder builder;
    if (!json::sax_parse(text, text + len, &builder)) {
        throw std::runtime_error("a number in it is too large");
    }
    Preparation(seam, builder.root).prepare(builder.root);
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.addConstraintBuilder(leaf_keyword, new LeafBuilder(seam.leaves));
    parser.populateSchema(NlohmannJsonAdapter(builder.root), seam.schema);
}

/* --- findings --------------------------------------------------------------------------------- */

void put_text(char *to, size_t size, const std::string &text)
{
    size_t len = std::min(text.size(), size - 1);
    while (len > 0 && len < text.size() && (static_cast<unsigned char>(text[len]) & 0xC0) == 0x80) {
        len--; /* not inside of a letter */
    }
    std::memcpy(to, text.data(), len);
    to[len] = '\0';
}

void put_path(seam_finding &finding, const std::vector<std::string> &parts)
{
    size_t used = 0;
    for (const auto &part : parts) {
        if (used + part.size() + 1 > sizeof(finding.path) || part.find('\0') != std::string::npos) {
            finding.cut = true;
            return;
        }
        std::memcpy(finding.path + used, part.c_str(), part.size() + 1);
        used += part.size() + 1;
        finding.n_parts++;
    }
}

/* The library says in words what it has found; what is not known is a rule that does not hold. */
const struct {
    const char *beginning;
    seam_outcome outcome;
    const char *expected; /* ends with '\'': what the library quotes is a part of the path */
} sayings[] = {
    {"Missing required property '", SEAM_MISSING_FIELD, "a value: the field is required"},
    {"Missing dependency '", SEAM_MISSING_FIELD, "a value: another field needs this one"},
    {"Object contains a property that could not be validated", SEAM_UNKNOWN_FIELD,
     "only fields that the contract has"},
    {"Array contains more items", SEAM_RANGE, "no more elements than the contract lists"},
    {"Array should contain no more than ", SEAM_RANGE, ""},
    {"Array should contain no fewer than ", SEAM_RANGE, ""},
    {"Object should have no more than ", SEAM_RANGE, ""},
    {"Object should have no fewer than ", SEAM_RANGE, ""},
    {"Failed to validate against any schemas allowed by anyOf", SEAM_RULE,
     "what one of the schemas of anyOf allows"},
    {"Failed to validate against any child schemas allowed by oneOf", SEAM_RULE,
     "what one of the schemas of oneOf allows"},
    {"Failed to validate against exactly one child schema", SEAM_RULE,
     "what only one of the schemas of oneOf allows"},
    {"Failed to validate against a conditional schema", SEAM_RULE,
     "what the schema of then or else allows"},
    {"Target should not validate", SEAM_RULE, "not what the schema of not allows"},
    {"Failed to any values against subschema in 'contains'", SEAM_RULE,
     "an element that the schema of contains allows"},
};

bool begins(const std::string &text, const char *beginning)
{
    return text.compare(0, std::strlen(beginning), beginning) == 0;
}

/* "[name]" */
std::string part_of(const std::string &context)
{
    return context.size() < 2 ? context : context.substr(1, context.size() - 2);
}

seam_outcome translate(const valijson::ValidationResults::Error &error, seam_finding &finding)
{
    std::vector<std::string> parts;
    for (size_t i = 1; i < error.context.size(); i++) {
        parts.push_back(part_of(error.context[i]));
    }
    const std::string &words = error.description;
    seam_outcome outcome = SEAM_RULE;
    std::string expected = "what the contract allows here";
    const size_t quote = words.find('\'');
    const std::string quoted =
        quote == std::string::npos ? "" : words.substr(quote + 1, words.rfind('\'') - quote - 1);
    if (words.size() > 2 && words[0] == own_words) {
        outcome = static_cast<seam_outcome>(words[1] - 'A');
        expected = words.substr(2);
    }
    for (const auto &saying : sayings) {
        if (begins(words, saying.beginning)) {
            outcome = saying.outcome;
            expected =
                saying.expected[0] == '\0' ? words.substr(words.find(" no ") + 1) : saying.expected;
        }
    }
    if (outcome == SEAM_MISSING_FIELD) {
        parts.push_back(quoted);
    } else if (outcome == SEAM_UNKNOWN_FIELD) {
        parts.push_back(words.substr(words.rfind(": '") + 3));
        parts.back().resize(parts.back().size() - std::min<size_t>(2, parts.back().size()));
    }
    put_path(finding, parts);
    put_text(finding.expected, sizeof(finding.expected), expected);
    return outcome;
}

/* The first complaint is the innermost one; but what a branch of anyOf complains of is no violation
 * by itself: then the choice is. */
seam_outcome explain(const valijson::ValidationResults &results, seam_finding &finding)
{
    const valijson::ValidationResults::Error *told = nullptr;
    for (const auto &error : results) {
        bool choice = begins(error.description, "Failed to validate against any") ||
                      begins(error.description, "Failed to validate against exactly");
        bool outside =
            told != nullptr && error.context.size() <= told->context.size() &&
            std::equal(error.context.begin(), error.context.end(), told->context.begin());
        if (told == nullptr || (choice && outside)) {
            told = &error;
        }
    }
    if (told == nullptr) {
        put_text(finding.expected, sizeof(finding.expected), "what the contract allows");
        return SEAM_RULE;
    }
    return translate(*told, finding);
}

seam_outcome check(const seam &seam, const char *payload, size_t len, seam_finding &finding)
{
    Builder builder;
    builder.name_max = seam.has_name_patterns ? size_t{SEAM_NAME_MAX} : SIZE_MAX;
    if (!json::sax_parse(payload, payload + len, &builder)) {
        if (builder.trouble == SEAM_NAME_TWICE || builder.trouble == SEAM_NUMBER_TOO_LARGE) {
            put_path(finding, builder.path());
        }
        return builder.trouble == SEAM_VALID ? SEAM_UNREADABLE : builder.trouble;
    }
    const NlohmannJsonAdapter target(builder.root);
    valijson::Validator validator;
    if (validator.validate(seam.schema, target, nullptr)) {
        return SEAM_VALID;
    }
    valijson::ValidationResults results;
    if (len <= SEAM_EXPLAINED_MAX) {
        /* Every complaint is kept: not for payloads that have millions. */
        validator.validate(seam.schema, target, &results);
    }
    return explain(results, finding);
}

} // namespace

/* --- the seam --------------------------------------------------------------------------------- */

bool seam_compile(const char *text, size_t len, struct seam **compiled,
                  char complaint[SEAM_COMPLAINT_SIZE])
{
    try {
        auto made = std::make_unique<seam>();
        compile(text, len, *made);
        *compiled = made.release();
        return true;
    } catch (const std::regex_error &) {
        put_text(complaint, SEAM_COMPLAINT_SIZE,
                 "one of its patterns is no regular expression of ECMAScript, refers back to what "
                 "it matched, or is too large");
    } catch (const std::exception &error) {
        put_text(complaint, SEAM_COMPLAINT_SIZE, error.what());
    }
    return false;
}

void seam_free(struct seam *seam)
{
    delete seam;
}

enum seam_outcome seam_check(const struct seam *seam, const char *payload, size_t len,
                             struct seam_finding *finding)
{
    *finding = {};
    try {
        return check(*seam, payload, len, *finding);
    } catch (const std::exception &) {
        return SEAM_FAILED;
    }
}
