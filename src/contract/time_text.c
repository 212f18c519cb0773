/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/time_text.h"

#include "contract/number.h"

#define TIMESTAMP_MIN INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define DURATION_MAX  INT64_C(315576000000) /* 10000 years */

enum { NANOS = 1000000000, DAY_SECONDS = 86400 };

struct cursor {
    const char *at;
    const char *end;
};

static bool take(struct cursor *cursor, char wanted)
{
    if (cursor->at == cursor->end || *cursor->at != wanted) {
        return false;
    }
    cursor->at++;
    return true;
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* Exactly n digits. */
static bool take_number(struct cursor *cursor, int n, int *number)
{
    if (cursor->end - cursor->at < n) {
        return false;
    }
    *number = 0;
    for (int i = 0; i < n; i++) {
        char c = *cursor->at++;
        if (!is_digit(c)) {
            return false;
        }
        *number = *number * 10 + (c - '0');
    }
    return true;
}

/* 1 to 9 digits behind a point that need not be there. */
static bool take_fraction(struct cursor *cursor, int32_t *nanos)
{
    *nanos = 0;
    if (!take(cursor, '.')) {
        return true;
    }
    int32_t unit = NANOS / 10;
    const char *from = cursor->at;
    while (cursor->at < cursor->end && is_digit(*cursor->at)) {
        if (unit == 0) {
            return false;
        }
        *nanos += (*cursor->at++ - '0') * unit;
        unit /= 10;
    }
    return cursor->at > from;
}

/* Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that the leap day is
 * the last of its year. */
static int64_t days_of(int year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool take_offset(struct cursor *cursor, int *seconds)
{
    *seconds = 0;
    if (take(cursor, 'Z')) {
        return true;
    }
    int hours;
    int minutes;
    bool west = take(cursor, '-');
    if ((!west && !take(cursor, '+')) || !take_number(cursor, 2, &hours) || !take(cursor, ':') ||
        !take_number(cursor, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *seconds = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

bool rfc3339_parse(struct bytes text, struct time_value *time)
{
    struct cursor cursor = {text.data, text.data + text.len};
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int offset;
    int32_t nanos;
    if (!take_number(&cursor, 4, &year) || !take(&cursor, '-') ||
        !take_number(&cursor, 2, &month) || !take(&cursor, '-') || !take_number(&cursor, 2, &day) ||
        !take(&cursor, 'T') || !take_number(&cursor, 2, &hour) || !take(&cursor, ':') ||
        !take_number(&cursor, 2, &minute) || !take(&cursor, ':') ||
        !take_number(&cursor, 2, &second) || !take_fraction(&cursor, &nanos) ||
        !take_offset(&cursor, &offset) || cursor.at != cursor.end) {
        return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 23 ||
        minute > 59 || second > 59) {
        return false;
    }
    struct time_value parsed = {
        .seconds = days_of(year, month, day) * DAY_SECONDS + (hour * INT64_C(60) + minute) * 60 +
                   second - offset,
        .nanos = nanos,
    };
    if (!timestamp_in_range(&parsed)) {
        return false;
    }
    *time = parsed;
    return true;
}

bool duration_parse(struct bytes text, struct time_value *time)
{
    struct cursor cursor = {text.data, text.data + text.len};
    bool negative = take(&cursor, '-');
    int64_t seconds = 0;
    const char *from = cursor.at;
    while (cursor.at < cursor.end && is_digit(*cursor.at)) {
        seconds = seconds * 10 + (*cursor.at++ - '0');
        if (seconds > DURATION_MAX) {
            return false;
        }
    }
    int32_t nanos;
    if (cursor.at == from || !take_fraction(&cursor, &nanos) || !take(&cursor, 's') ||
        cursor.at != cursor.end) {
        return false;
    }
    *time = (struct time_value){negative ? -seconds : seconds, negative ? -nanos : nanos};
    return true;
}

bool timestamp_in_range(const struct time_value *time)
{
    return time->seconds >= TIMESTAMP_MIN && time->seconds <= TIMESTAMP_MAX && time->nanos >= 0 &&
           time->nanos < NANOS;
}

bool duration_in_range(const struct time_value *time)
{
    if (time->seconds < -DURATION_MAX || time->seconds > DURATION_MAX || time->nanos <= -NANOS ||
        time->nanos >= NANOS) {
        return false;
    }
    return (time->seconds <= 0 || time->nanos >= 0) && (time->seconds >= 0 || time->nanos <= 0);
}

/* --- writing --------------------------------------------------------------------------------- */

static char *put_number(char *at, int n, int64_t number)
{
    for (int i = n - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + n;
}

static char *put_fraction(char *at, int32_t nanos)
{
    if (nanos == 0) {
        return at;
    }
    *at++ = '.';
    if (nanos % 1000000 == 0) {
        return put_number(at, 3, nanos / 1000000);
    }
    if (nanos % 1000 == 0) {
        return put_number(at, 6, nanos / 1000);
    }
    return put_number(at, 9, nanos);
}

size_t rfc3339_format(const struct time_value *time, char text[static TIME_TEXT_SIZE])
{
    int64_t of_day = time->seconds % DAY_SECONDS;
    int64_t days = time->seconds / DAY_SECONDS - (of_day < 0);
    of_day += of_day < 0 ? DAY_SECONDS : 0;

    /* The way back of days_of. */
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * march_month + 2) / 5 + 1;
    int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);

    char *at = put_number(text, 4, year);
    *at++ = '-';
    at = put_number(at, 2, month);
    *at++ = '-';
    at = put_number(at, 2, day);
    *at++ = 'T';
    at = put_number(at, 2, of_day / 3600);
    *at++ = ':';
    at = put_number(at, 2, of_day / 60 % 60);
    *at++ = ':';
    at = put_number(at, 2, of_day % 60);
    at = put_fraction(at, time->nanos);
    *at++ = 'Z';
    return (size_t)(at - text);
}

size_t duration_format(const struct time_value *time, char text[static TIME_TEXT_SIZE])
{
    bool negative = time->seconds < 0 || time->nanos < 0;
    char *at = text;
    if (negative) {
        *at++ = '-';
    }
    char digits[NUMBER_TEXT_SIZE];
    uint64_t seconds = (uint64_t)(negative ? -time->seconds : time->seconds);
    size_t n = number_format_unsigned(seconds, digits);
    memcpy(at, digits, n);
    at = put_fraction(at + n, negative ? -time->nanos : time->nanos);
    *at++ = 's';
    return (size_t)(at - text);
}
