/* SPDX-License-Identifier: Apache-2.0
 *
 * The formats of draft-07 that events are made of. What is not listed is an annotation, as the
 * specification allows. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/bytes.h"
#include "base/macros.h"
#include "jsonschema/seam.h"

/* Digits of a fixed number; false: there are none. */
static bool take_number(struct bytes *text, unsigned digits, unsigned *number)
{
    if (text->len < digits) {
        return false;
    }
    *number = 0;
    for (unsigned i = 0; i < digits; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') {
            return false;
        }
        *number = *number * 10 + (unsigned)(text->data[i] - '0');
    }
    *text = (struct bytes){text->data + digits, text->len - digits};
    return true;
}

static bool take(struct bytes *text, const char *letters)
{
    if (text->len == 0 || text->data[0] == '\0' || strchr(letters, text->data[0]) == NULL) {
        return false;
    }
    *text = (struct bytes){text->data + 1, text->len - 1};
    return true;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct bytes *text)
{
    unsigned year;
    unsigned month;
    unsigned day;
    return take_number(text, 4, &year) && take(text, "-") && take_number(text, 2, &month) &&
           take(text, "-") && take_number(text, 2, &day) && month >= 1 && month <= 12 && day >= 1 &&
           day <= days_of(year, month);
}

static bool take_fraction(struct bytes *text)
{
    unsigned digit;
    if (!take(text, ".")) {
        return true;
    }
    if (!take_number(text, 1, &digit)) {
        return false;
    }
    while (take_number(text, 1, &digit)) {
    }
    return true;
}

/* RFC 3339: with its offset. A leap second is one at the end of a day of UTC. */
static bool take_time(struct bytes *text)
{
    unsigned hour;
    unsigned minute;
    unsigned second;
    unsigned away_hours = 0;
    unsigned away_minutes = 0;
    if (!take_number(text, 2, &hour) || !take(text, ":") || !take_number(text, 2, &minute) ||
        !take(text, ":") || !take_number(text, 2, &second) || !take_fraction(text)) {
        return false;
    }
    bool west = text->len > 0 && text->data[0] == '-';
    if (!take(text, "Zz") && (!take(text, "+-") || !take_number(text, 2, &away_hours) ||
                              !take(text, ":") || !take_number(text, 2, &away_minutes))) {
        return false;
    }
    if (hour > 23 || minute > 59 || second > 60 || away_hours > 23 || away_minutes > 59) {
        return false;
    }
    unsigned day = 24 * 60;
    unsigned away = away_hours * 60 + away_minutes;
    unsigned utc = (hour * 60 + minute + (west ? away : day - away)) % day;
    return second < 60 || utc == day - 1;
}

static bool is_date(struct bytes text)
{
    return take_date(&text) && text.len == 0;
}

static bool is_time(struct bytes text)
{
    return take_time(&text) && text.len == 0;
}

static bool is_date_time(struct bytes text)
{
    return take_date(&text) && take(&text, "Tt") && take_time(&text) && text.len == 0;
}

static bool is_uuid(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.data[i] != '-' : !isxdigit((unsigned char)text.data[i])) {
            return false;
        }
    }
    return text.len == 36;
}

static bool is_address(struct bytes text, int family)
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (text.len >= sizeof(copy) || memchr(text.data, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return inet_pton(family, copy, address) == 1;
}

static bool is_ipv4(struct bytes text)
{
    return is_address(text, AF_INET);
}

static bool is_ipv6(struct bytes text)
{
    return is_address(text, AF_INET6);
}

/* Labels of letters, digits and inner hyphens. */
static bool is_hostname(struct bytes text)
{
    size_t label = 0;
    for (size_t i = 0; i < text.len; i++) {
        char at = text.data[i];
        bool last = i + 1 == text.len || text.data[i + 1] == '.';
        if (at == '.') {
            if (label == 0) {
                return false;
            }
            label = 0;
            continue;
        }
        if (!isalnum((unsigned char)at) && (at != '-' || label == 0 || last)) {
            return false;
        }
        if (++label > 63) {
            return false;
        }
    }
    return text.len > 0 && text.len < 254 && label > 0;
}

/* One @ with something on both sides, a host behind it, and no space or control character. */
static bool is_email(struct bytes text)
{
    const char *at = text.len == 0 ? NULL : memrchr(text.data, '@', text.len);
    if (at == NULL || at == text.data) {
        return false;
    }
    size_t before = (size_t)(at - text.data);
    for (size_t i = 0; i < before; i++) {
        char letter = text.data[i];
        bool double_dot = letter == '.' &&
                          (i == 0 || i + 1 == before || at[-1] == '.' || text.data[i + 1] == '.');
        if ((unsigned char)letter <= ' ' || letter == '@' || letter == 0x7F || double_dot) {
            return false;
        }
    }
    return is_hostname((struct bytes){at + 1, text.len - before - 1});
}

/* A scheme, a colon, and nothing that a URI must escape. */
static bool is_uri(struct bytes text)
{
    const char *colon = text.len == 0 ? NULL : memchr(text.data, ':', text.len);
    if (colon == NULL || !isalpha((unsigned char)text.data[0])) {
        return false;
    }
    for (const char *at = text.data; at < text.data + text.len; at++) {
        unsigned char letter = (unsigned char)*at;
        bool in_scheme = isalnum(letter) || (letter != 0 && strchr("+-.", letter) != NULL);
        if (letter <= ' ' || letter >= 0x7F || strchr("\"<>\\^`{|}", letter) != NULL ||
            (at < colon && !in_scheme)) {
            return false;
        }
    }
    return true;
}

static const struct {
    const char *name;
    bool (*holds)(struct bytes text);
} formats[] = {
    {"date-time", is_date_time}, {"date", is_date},   {"time", is_time},
    {"uuid", is_uuid},           {"ipv4", is_ipv4},   {"ipv6", is_ipv6},
    {"hostname", is_hostname},   {"email", is_email}, {"uri", is_uri},
};

bool format_holds(const char *format, const char *text, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (strcmp(format, formats[i].name) == 0) {
            return formats[i].holds((struct bytes){text, len});
        }
    }
    return true;
}
