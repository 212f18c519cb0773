/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/trouble.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_SIZE = 360, NONSENSE_SIZE = 64 };

/* Error codes of the Confluent REST API. */
enum {
    NO_SUBJECT = 40401,
    NO_VERSION = 40402,
    NO_SCHEMA = 40403,
    NO_SUBJECT_LEVEL = 40408,
    BAD_SCHEMA = 42201,
    BAD_LEVEL = 42203,
};

/* Foreign text on one line, cut. */
static const char *shown(const char *text, char *line, size_t size)
{
    size_t used = 0;
    bool space = true; /* none at the beginning */
    for (; *text != '\0' && used + 4 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c <= 0x20 || c == 0x7f) {
            if (!space) {
                line[used++] = ' ';
            }
            space = true;
        } else {
            line[used++] = *text;
            space = false;
        }
    }
    while (used > 0 &&
           (line[used - 1] == ' ' || (*text != '\0' && (line[used - 1] & 0xc0) == 0x80))) {
        used--;
    }
    if (*text != '\0' && used > 0 && ((unsigned char)line[used - 1] & 0xc0) == 0xc0) {
        used--; /* the first byte of a character that was cut */
    }
    snprintf(line + used, size - used, "%s", *text == '\0' ? "" : "...");
    return line;
}

/* --- below HTTP --- */

static const char not_reached[] = "Is it running there? Check contracts.registry.url.";

static enum verdict say_connect(const struct trouble_details *details, struct error *error)
{
    error_set(error, RETRY, "the schema registry at %s cannot be reached: %s", details->base,
              details->reason == 0 ? "no connection" : strerrordesc_np(details->reason));
    return error_remedy(error, "%s", not_reached);
}

static enum verdict say_untrusted(const struct trouble_details *details, struct error *error)
{
    if (strstr(details->complaint, "subject name") != NULL ||
        strstr(details->complaint, "does not match") != NULL) {
        error_set(error, WAIT, "the certificate of the schema registry at %s is for another host",
                  details->base);
        return error_remedy(error, "Write the name that stands in the certificate in "
                                   "contracts.registry.url, or give the registry another one.");
    }
    const char *detail = strstr(details->complaint, "problem: ");
    char line[NONSENSE_SIZE];
    error_set(error, WAIT, "the certificate of the schema registry at %s is not trusted%s%s",
              details->base, detail == NULL ? "" : ": ",
              detail == NULL ? "" : shown(detail + strlen("problem: "), line, sizeof(line)));
    return details->ca[0] == '\0'
               ? error_remedy(error, "Set contracts.registry.tls.ca to the certificate of the CA "
                                     "that signed it.")
               : error_remedy(error,
                              "Is the CA that signed it in %.200s (contracts.registry.tls.ca), and "
                              "is it still valid?",
                              details->ca);
}

enum verdict trouble_say(const struct trouble_details *details, struct error *error)
{
    const char *base = details->base;
    double seconds = details->timeout_ms / 1000.0;
    switch (details->trouble) {
    case TROUBLE_RESOLVE:
        error_set(error, RETRY,
                  "the schema registry at %s cannot be reached: its host name cannot be resolved",
                  base);
        return error_remedy(error, "Check the host in contracts.registry.url.");
    case TROUBLE_PROXY:
        error_set(error, RETRY,
                  "the schema registry at %s cannot be reached: the host name of the proxy cannot "
                  "be resolved",
                  base);
        return error_remedy(error, "Check http_proxy, https_proxy and no_proxy in the "
                                   "environment.");
    case TROUBLE_CONNECT: return say_connect(details, error);
    case TROUBLE_NO_CONNECTION:
        error_set(error, RETRY,
                  "the schema registry at %s cannot be reached: no connection within %g s", base,
                  seconds);
        return error_remedy(error, "%s", not_reached);
    case TROUBLE_NO_ANSWER:
        error_set(error, RETRY, "the schema registry at %s did not answer within %g s", base,
                  seconds);
        return error_remedy(error, "Is it overloaded? If it is only slow, make "
                                   "contracts.registry.timeout longer.");
    case TROUBLE_CUT_OFF:
        error_set(error, RETRY,
                  "the schema registry at %s closed the connection before its answer ended", base);
        return error_remedy(error, "Look into its log. If it wants TLS, write https:// in "
                                   "contracts.registry.url.");
    case TROUBLE_UNTRUSTED: return say_untrusted(details, error);
    case TROUBLE_TLS:
        error_set(error, WAIT, "no TLS connection with the schema registry at %s came about", base);
        return error_remedy(error,
                            "If it has no TLS, write http:// in contracts.registry.url; if it asks "
                            "for a certificate, set contracts.registry.tls.certificate and key.");
    case TROUBLE_CA_FILE:
        error_set(error, WAIT,
                  "contracts.registry.tls.ca: %.200s holds no certificate that can be "
                  "used",
                  details->ca);
        return error_remedy(error, "It must be PEM text: -----BEGIN CERTIFICATE-----.");
    case TROUBLE_OWN_CERTIFICATE:
        error_set(error, WAIT, "contracts.registry.tls.certificate and key cannot be used");
        return error_remedy(error, "Both must be PEM text, the key must belong to the certificate, "
                                   "and a locked key needs contracts.registry.tls.key_password.");
    case TROUBLE_NOT_HTTP:
        error_set(error, WAIT, "what listens at %s does not speak HTTP", base);
        return error_remedy(error, "Check host and port in contracts.registry.url, and whether it "
                                   "wants https://.");
    case TROUBLE_TOO_LARGE:
        error_set(error, WAIT, "the answer of %s is larger than any of a schema registry", base);
        return error_remedy(error, "Check host, port and path in contracts.registry.url.");
    }
    return error_set(error, FATAL, "an unknown trouble with %s", base);
}

/* --- answers --- */

static enum verdict say_not_allowed(const struct refusal *refusal, const char *words,
                                    struct error *error)
{
    if (refusal->status == 403) {
        error_set(error, WAIT, "the schema registry at %s does not allow this (403)%s",
                  refusal->base, words);
        return error_remedy(error, "Give %s the right to it in the registry.",
                            refusal->logged_in ? "walpost's user" : "everybody, or a user,");
    }
    if (refusal->logged_in) {
        error_set(error, WAIT,
                  "the schema registry at %s does not accept the user or token (401)%s",
                  refusal->base, words);
        return error_remedy(error, "Check contracts.registry.auth.");
    }
    error_set(error, WAIT, "the schema registry at %s asks for a user or token (401)%s",
              refusal->base, words);
    return error_remedy(error,
                        "Set contracts.registry.auth.username and "
                        "contracts.registry.auth.password, or contracts.registry.auth.token.");
}

static enum verdict say_not_found(const struct refusal *refusal, const char *words,
                                  struct error *error)
{
    const char *base = refusal->base;
    const char *subject = refusal->subject == NULL ? "" : refusal->subject;
    switch (refusal->error_code) {
    case NO_SUBJECT:
    case NO_SUBJECT_LEVEL:
        error_set(error, WAIT, "the schema registry at %s has no subject \"%.200s\"", base,
                  subject);
        return error_remedy(error, "Run `walpost schema register`, or check "
                                   "contracts.registry.subject.");
    case NO_VERSION:
        error_set(error, WAIT,
                  "the schema registry at %s has no such version of subject \"%.200s\"", base,
                  subject);
        return error_remedy(error, "Run `walpost schema register`.");
    case NO_SCHEMA:
        error_set(error, WAIT, "the schema registry at %s does not have this schema%s%.200s%s",
                  base, subject[0] == '\0' ? "" : " under subject \"", subject,
                  subject[0] == '\0' ? "" : "\"");
        return error_remedy(error, "Run `walpost schema register`.");
    default:
        error_set(error, WAIT, "there is no schema registry under the path of %s (%ld)%s", base,
                  refusal->status, words);
        return error_remedy(error, "Check contracts.registry.url: some have the API under a path, "
                                   "for example /apis/ccompat/v7.");
    }
}

static enum verdict say_unacceptable(const struct refusal *refusal, const char *words,
                                     struct error *error)
{
    if (refusal->status == 409) {
        error_set(error, FATAL,
                  "the schema registry refuses this schema for subject \"%.200s\" as "
                  "incompatible%s",
                  refusal->subject == NULL ? "" : refusal->subject, words);
        return error_remedy(error, "Change the schema so that it is compatible with the versions "
                                   "before, or release it as a new event type.");
    }
    if (refusal->error_code == BAD_LEVEL) {
        error_set(error, INVALID, "the schema registry at %s does not know this compatibility%s",
                  refusal->base, words);
        return error_remedy(error, "There are BACKWARD, BACKWARD_TRANSITIVE, FORWARD, "
                                   "FORWARD_TRANSITIVE, FULL, FULL_TRANSITIVE and NONE.");
    }
    error_set(error, FATAL, "the schema registry at %s does not accept this schema (422)%s",
              refusal->base, words);
    return error_remedy(error, "%s",
                        refusal->error_code == BAD_SCHEMA
                            ? "Does it support Protobuf? Is every file that the schema imports "
                              "registered?"
                            : "Look into its log.");
}

static enum verdict say_by_status(const struct refusal *refusal, const char *words,
                                  struct error *error)
{
    const char *base = refusal->base;
    long status = refusal->status;
    if (status == 401 || status == 403) {
        return say_not_allowed(refusal, words, error);
    }
    if (status == 404 || status == 405) {
        return say_not_found(refusal, words, error);
    }
    if (status == 409 || status == 422) {
        return say_unacceptable(refusal, words, error);
    }
    if (status == 408 || status == 429) {
        error_set(error, RETRY, "the schema registry at %s is overloaded (%ld)%s", base, status,
                  words);
        return error_remedy(error, "It is asked again after a pause.");
    }
    if (status >= 500) {
        error_set(error, RETRY, "the schema registry at %s failed (%ld)%s", base, status, words);
        return error_remedy(error, "Look into its log.");
    }
    if (status >= 300 && status < 400) {
        error_set(error, WAIT, "%s sends its callers to another address (%ld)", base, status);
        return error_remedy(error, "Write the final address into contracts.registry.url: redirects "
                                   "are not followed.");
    }
    error_set(error, WAIT, "the schema registry at %s refuses the request (%ld)%s", base, status,
              words);
    return error_remedy(error, "Is it a registry with Confluent's REST API? Look into its log.");
}

enum verdict refusal_say(const struct refusal *refusal, struct error *error)
{
    char words[SHOWN_SIZE + 2] = "";
    if (refusal->message != NULL && refusal->message[0] != '\0') {
        memcpy(words, ": ", 2);
        shown(refusal->message, words + 2, SHOWN_SIZE);
    }
    enum verdict verdict = say_by_status(refusal, words, error);
    char code[16];
    snprintf(code, sizeof(code), "%ld",
             refusal->error_code != 0 ? refusal->error_code : refusal->status);
    error_code(error, code);
    return verdict;
}

enum verdict nonsense_say(const char *base, long status, const char *body, struct error *error)
{
    char line[NONSENSE_SIZE];
    shown(body, line, sizeof(line));
    error_set(error, RETRY, "%s answers (%ld) with what no schema registry says%s%s", base, status,
              line[0] == '\0' ? ": nothing" : ": ", line);
    return error_remedy(error,
                        "Check contracts.registry.url: is it the registry, or a proxy or web "
                        "page in front of it?");
}
