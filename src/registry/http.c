/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/macros.h"
#include "registry/trouble.h"

enum { STOP_POLL_MS = 100 };

struct http {
    const struct config *config;
    CURLM *multi; /* keeps the connections */
    struct curl_slist *headers;
};

/* --- lifecycle --- */

static void init_library(void)
{
    check(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

static enum verdict check_file(const char *key, const char *file, struct error *error)
{
    if (file[0] == '\0' || access(file, R_OK) == 0) {
        return OK;
    }
    error_set(error, INVALID, "contracts.registry.tls.%s: %s cannot be read: %m", key, file);
    return error_remedy(error, "Name a file with PEM text that walpost may read.");
}

static enum verdict check_files(const struct config *config, struct error *error)
{
    enum verdict verdict = check_file("ca", config->contracts.registry.tls.ca, error);
    if (verdict == OK) {
        verdict = check_file("certificate", config->contracts.registry.tls.certificate, error);
    }
    return verdict != OK ? verdict : check_file("key", config->contracts.registry.tls.key, error);
}

static struct curl_slist *with_header(struct curl_slist *list, const char *header)
{
    struct curl_slist *longer = curl_slist_append(list, header);
    check(longer != NULL);
    return longer;
}

enum verdict http_new(const struct config *config, struct http **http, struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    enum verdict verdict = check_files(config, error);
    if (verdict != OK) {
        return verdict;
    }
    check(pthread_once(&once, init_library) == 0);
    struct http *made = must_calloc(1, sizeof(*made));
    made->config = config;
    made->multi = curl_multi_init();
    check(made->multi != NULL);
    made->headers =
        with_header(NULL, "Accept: application/vnd.schemaregistry.v1+json, application/json;q=0.9");
    made->headers =
        with_header(made->headers, "Content-Type: application/vnd.schemaregistry.v1+json");
    made->headers = with_header(made->headers, "Expect:"); /* no second thoughts before a body */
    *http = made;
    return OK;
}

void http_free(struct http *http)
{
    if (http == NULL) {
        return;
    }
    curl_multi_cleanup(http->multi);
    curl_slist_free_all(http->headers);
    free(http);
}

void http_answer_release(struct http_answer *answer)
{
    free(answer->body);
    *answer = (struct http_answer){0};
}

/* --- one request --- */

struct call {
    CURL *easy;
    struct http_answer answer;
    bool too_large;
    char complaint[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct call *call = context;
    size_t len = size * count;
    if (len > HTTP_ANSWER_MAX - call->answer.len) {
        call->too_large = true;
        return 0;
    }
    call->answer.body = must_realloc(call->answer.body, call->answer.len + len + 1);
    memcpy(call->answer.body + call->answer.len, data, len);
    call->answer.len += len;
    call->answer.body[call->answer.len] = '\0';
    return len;
}

#define SET(easy, option, value) check(curl_easy_setopt(easy, option, value) == CURLE_OK)

static void set_login(CURL *easy, const struct config *config)
{
    if (config->contracts.registry.auth.token[0] != '\0') {
        SET(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        SET(easy, CURLOPT_XOAUTH2_BEARER, config->contracts.registry.auth.token);
    } else if (config->contracts.registry.auth.username[0] != '\0') {
        SET(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(easy, CURLOPT_USERNAME, config->contracts.registry.auth.username);
        SET(easy, CURLOPT_PASSWORD, config->contracts.registry.auth.password);
    }
}

static void set_tls(CURL *easy, const struct config *config)
{
    SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (config->contracts.registry.tls.ca[0] != '\0') {
        SET(easy, CURLOPT_CAINFO, config->contracts.registry.tls.ca);
        SET(easy, CURLOPT_CAPATH, NULL);
    }
    if (config->contracts.registry.tls.certificate[0] != '\0') {
        SET(easy, CURLOPT_SSLCERT, config->contracts.registry.tls.certificate);
        SET(easy, CURLOPT_SSLKEY, config->contracts.registry.tls.key);
        /* Even an empty one: OpenSSL would ask for it at the terminal otherwise. */
        SET(easy, CURLOPT_KEYPASSWD, config->contracts.registry.tls.key_password);
    }
}

static void set_request(struct call *call, const struct http *http,
                        const struct http_request *request, const char *url)
{
    CURL *easy = call->easy;
    SET(easy, CURLOPT_URL, url);
    SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(easy, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body != NULL) {
        SET(easy, CURLOPT_POSTFIELDS, request->body);
        SET(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
    }
    SET(easy, CURLOPT_HTTPHEADER, http->headers);
    SET(easy, CURLOPT_USERAGENT, "walpost/" WALPOST_VERSION);
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(easy, CURLOPT_TIMEOUT_MS, (long)(http->config->contracts.registry.timeout_us / 1000));
    SET(easy, CURLOPT_ERRORBUFFER, call->complaint);
    SET(easy, CURLOPT_WRITEFUNCTION, on_body);
    SET(easy, CURLOPT_WRITEDATA, call);
    set_login(easy, http->config);
    set_tls(easy, http->config);
}

/* False: asked to stop. */
static bool perform(struct http *http, CURL *easy, const atomic_bool *stop, CURLcode *code)
{
    int running = 1;
    bool stopped = false;
    check(curl_multi_add_handle(http->multi, easy) == CURLM_OK);
    while (!stopped) {
        check(curl_multi_perform(http->multi, &running) == CURLM_OK);
        if (running == 0) {
            break;
        }
        check(curl_multi_poll(http->multi, NULL, 0, STOP_POLL_MS, NULL) == CURLM_OK);
        stopped = stop != NULL && atomic_load(stop);
    }
    int left;
    const CURLMsg *message = curl_multi_info_read(http->multi, &left);
    *code = message == NULL ? CURLE_ABORTED_BY_CALLBACK : message->data.result;
    check(curl_multi_remove_handle(http->multi, easy) == CURLM_OK);
    return !stopped;
}

/* The codes of curl that mean something to a person. */
static enum trouble trouble_of(const struct call *call, CURLcode code)
{
    curl_off_t connected_us = 0;
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return TROUBLE_RESOLVE;
    case CURLE_COULDNT_RESOLVE_PROXY: return TROUBLE_PROXY;
    case CURLE_COULDNT_CONNECT: return TROUBLE_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &connected_us);
        return connected_us == 0 ? TROUBLE_NO_CONNECTION : TROUBLE_NO_ANSWER;
    case CURLE_PEER_FAILED_VERIFICATION: return TROUBLE_UNTRUSTED;
    case CURLE_SSL_CONNECT_ERROR: return TROUBLE_TLS;
    case CURLE_SSL_CACERT_BADFILE: return TROUBLE_CA_FILE;
    case CURLE_SSL_CERTPROBLEM: return TROUBLE_OWN_CERTIFICATE;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2: return TROUBLE_NOT_HTTP;
    case CURLE_WRITE_ERROR: return call->too_large ? TROUBLE_TOO_LARGE : TROUBLE_CUT_OFF;
    default:
        /* TLS 1.3 lets a server refuse a client without a certificate only after the handshake. */
        return strstr(call->complaint, "certificate required") != NULL ? TROUBLE_TLS
                                                                       : TROUBLE_CUT_OFF;
    }
}

static enum verdict failed(const struct http *http, const struct call *call, CURLcode code,
                           const struct http_request *request, struct error *error)
{
    long reason = 0;
    curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &reason);
    return trouble_say(
        &(struct trouble_details){
            .trouble = trouble_of(call, code),
            .base = request->base,
            .reason = (int)reason,
            .complaint = call->complaint,
            .timeout_ms = http->config->contracts.registry.timeout_us / 1000,
            .ca = http->config->contracts.registry.tls.ca,
        },
        error);
}

enum verdict http_call(struct http *http, const struct http_request *request,
                       const atomic_bool *stop, struct http_answer *answer, struct error *error)
{
    struct call call = {.easy = curl_easy_init()};
    check(call.easy != NULL);
    char *url = must_printf("%s%s", request->base, request->path);
    set_request(&call, http, request, url);
    CURLcode code = CURLE_OK;
    enum verdict verdict = OK;
    if (!perform(http, call.easy, stop, &code)) {
        verdict = error_set(error, AGAIN, "asked to stop");
    } else if (code != CURLE_OK) {
        verdict = failed(http, &call, code, request, error);
    } else {
        curl_easy_getinfo(call.easy, CURLINFO_RESPONSE_CODE, &call.answer.status);
        if (call.answer.body == NULL) {
            call.answer.body = must_strdup("");
        }
    }
    if (verdict == OK) {
        *answer = call.answer;
    } else {
        http_answer_release(&call.answer);
    }
    curl_easy_cleanup(call.easy);
    free(url);
    return verdict;
}
