/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON -> Protobuf and back: walpost's transcoder beside libprotobuf's, on the same payloads, in
 * turns, on one core.
 *
 *   transcode DESCRIPTOR_SET MESSAGE SECONDS FILE...
 *
 * For each file one line: its name, bytes of JSON, bytes on the wire, then MB of JSON a second: walpost
 * from JSON, libprotobuf from JSON (JsonToBinaryString, its way without a message in between), the ratio
 * of the two, walpost to JSON, libprotobuf to JSON. Each figure is the best of its turns. Exit status 1:
 * the two do not read the same message. */
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/util/type_resolver_util.h>
#include <time.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

extern "C" {
#include "contract/transcode.h"
}

namespace pb = google::protobuf;

static double cpu_seconds()
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static std::string read_file(const char *path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

static void die(const std::string &words)
{
    std::cerr << "transcode: " << words << "\n";
    exit(1);
}

struct contract {
    pb::DescriptorPool descriptors;
    std::unique_ptr<pb::util::TypeResolver> resolver;
    std::string type_url;
    const pb::Descriptor *descriptor;
    pb::DynamicMessageFactory factory;
    struct pool *pool;
    const struct message *message;
    struct transcoder *transcoder;
};

static void load(contract &contract, const char *path, const char *name)
{
    std::string bytes = read_file(path);
    pb::FileDescriptorSet set;
    if (!set.ParseFromString(bytes)) {
        die("no descriptor set");
    }
    for (const auto &file : set.file()) {
        contract.descriptors.BuildFile(file);
    }
    contract.resolver.reset(
        pb::util::NewTypeResolverForDescriptorPool("type.googleapis.com", &contract.descriptors));
    contract.type_url = std::string("type.googleapis.com/") + name;
    contract.descriptor = contract.descriptors.FindMessageTypeByName(name);

    struct error error;
    if (pool_load({bytes.data(), bytes.size()}, &contract.pool, &error) != OK) {
        die(error.what);
    }
    contract.message = pool_message(contract.pool, bytes_of(name));
    contract.transcoder = transcoder_new(contract.pool, UNKNOWN_REJECT);
}

/* MB of JSON a second of CPU; `work` does one payload. */
template <typename Work> static double rate(size_t json_size, double seconds, Work work)
{
    double from = cpu_seconds();
    double to = from;
    size_t n = 0;
    while (to - from < seconds) {
        for (size_t i = 0; i < 100000 / json_size + 1; i++, n++) {
            work();
        }
        to = cpu_seconds();
    }
    return (double)(n * json_size) / (to - from) / 1e6;
}

static void check_same(contract &contract, const std::string &ours, const std::string &theirs)
{
    std::unique_ptr<pb::Message> a(contract.factory.GetPrototype(contract.descriptor)->New());
    std::unique_ptr<pb::Message> b(contract.factory.GetPrototype(contract.descriptor)->New());
    if (!a->ParseFromString(ours) || !b->ParseFromString(theirs) ||
        !pb::util::MessageDifferencer::Equals(*a, *b)) {
        die("walpost and libprotobuf read different messages");
    }
}

static void measure(contract &contract, const char *path, double seconds)
{
    const std::string json = read_file(path);
    struct violation violation;
    struct bytes wire;
    if (transcode_from_json(contract.transcoder, contract.message, {json.data(), json.size()}, &wire,
                            &violation) != OK) {
        die(std::string(violation.path) + ": expected " + violation.expected + ", found " + violation.found);
    }
    const std::string ours(wire.data, wire.len);
    std::string theirs;
    if (!pb::util::JsonToBinaryString(contract.resolver.get(), contract.type_url, json, &theirs).ok()) {
        die("libprotobuf refuses the payload");
    }
    check_same(contract, ours, theirs);

    double best[4] = {0};
    size_t printed = 0;
    for (int turn = 0; turn < 3; turn++) {
        double found[4];
        found[0] = rate(json.size(), seconds, [&] {
            if (transcode_from_json(contract.transcoder, contract.message, {json.data(), json.size()}, &wire,
                                    &violation) != OK) {
                die("it was good before");
            }
        });
        found[1] = rate(json.size(), seconds, [&] {
            theirs.clear();
            pb::util::JsonToBinaryString(contract.resolver.get(), contract.type_url, json, &theirs);
        });
        struct bytes text = BYTES_NULL;
        found[2] = rate(json.size(), seconds, [&] {
            if (transcode_to_json(contract.transcoder, contract.message, {ours.data(), ours.size()}, &text,
                                  &violation) != OK) {
                die("it cannot be written");
            }
        });
        printed = text.len;
        std::string out;
        found[3] = rate(json.size(), seconds, [&] {
            out.clear();
            pb::util::BinaryToJsonString(contract.resolver.get(), contract.type_url, ours, &out);
        });
        for (int i = 0; i < 4; i++) {
            best[i] = found[i] > best[i] ? found[i] : best[i];
        }
    }
    /* Writing is measured in what is written, which has no spaces. */
    double share = (double)printed / (double)json.size();
    printf("%s %zu %zu %.0f %.0f %.1f %.0f %.0f\n", path, json.size(), ours.size(), best[0], best[1],
           best[0] / best[1], best[2] * share, best[3] * share);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        die("usage: transcode DESCRIPTOR_SET MESSAGE SECONDS FILE...");
    }
    contract contract;
    load(contract, argv[1], argv[2]);
    for (int i = 4; i < argc; i++) {
        measure(contract, argv[i], atof(argv[3]));
    }
    transcoder_free(contract.transcoder);
    pool_free(contract.pool);
    return 0;
}
