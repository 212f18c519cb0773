/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/timestamp.h"

enum { DAY_S = 86400, YEAR_0001 = -719162, YEAR_9999_END = 2932896 }; /* days since 1970-01-01 */

#define SECOND_US INT64_C(1000000)

struct cursor {
    const char *at;
    const char *end;
};

/* Exactly n digits. */
static bool digits(struct cursor *cursor, int n, int *value)
{
    if (cursor->end - cursor->at < n) {
        return false;
    }
    int sum = 0;
    for (int i = 0; i < n; i++) {
        unsigned digit = (unsigned char)cursor->at[i] - (unsigned)'0';
        if (digit > 9) {
            return false;
        }
        sum = sum * 10 + (int)digit;
    }
    cursor->at += n;
    *value = sum;
    return true;
}

static bool literal(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c) {
        return false;
    }
    cursor->at++;
    return true;
}

/* The Gregorian calendar, counted in years that begin in March, so that the leap day comes last:
 * month m of such a year begins at day (153 * m + 2) / 5. Days are counted from 1970-01-01. */
static int days_of(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int m = month <= 2 ? month + 9 : month - 3;
    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int days_in_month(int year, int month)
{
    static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool parse_date(struct cursor *cursor, int *days)
{
    int year;
    int month;
    int day;
    if (!digits(cursor, 4, &year) || !literal(cursor, '-') || !digits(cursor, 2, &month) ||
        !literal(cursor, '-') || !digits(cursor, 2, &day)) {
        return false;
    }
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    *days = days_of(year, month, day);
    return true;
}

/* One to nine digits after the point; PostgreSQL writes at most six, JSON from elsewhere often
 * nine: cut. */
static bool parse_fraction(struct cursor *cursor, int *us)
{
    int n = 0;
    int value = 0;
    for (; cursor->at < cursor->end && n < 10; n++, cursor->at++) {
        unsigned digit = (unsigned char)*cursor->at - (unsigned)'0';
        if (digit > 9) {
            break;
        }
        value = n < 6 ? value * 10 + (int)digit : value;
    }
    for (int i = n; i < 6; i++) {
        value *= 10;
    }
    *us = value;
    return n >= 1 && n <= 9;
}

static bool parse_time(struct cursor *cursor, int64_t *us)
{
    int hour;
    int minute;
    int second;
    int fraction = 0;
    if (!digits(cursor, 2, &hour) || !literal(cursor, ':') || !digits(cursor, 2, &minute) ||
        !literal(cursor, ':') || !digits(cursor, 2, &second)) {
        return false;
    }
    if (hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    if (literal(cursor, '.') && !parse_fraction(cursor, &fraction)) {
        return false;
    }
    *us = (hour * 3600 + minute * 60 + second) * SECOND_US + fraction;
    return true;
}

/* Nothing, Z, or +HH, +HH:MM, +HH:MM:SS as PostgreSQL writes offsets. */
static bool parse_offset(struct cursor *cursor, int64_t *offset_us)
{
    *offset_us = 0;
    if (cursor->at == cursor->end || literal(cursor, 'Z')) {
        return true;
    }
    int sign = *cursor->at == '-' ? -1 : 1;
    int hours;
    int minutes = 0;
    int seconds = 0;
    if ((!literal(cursor, '+') && !literal(cursor, '-')) || !digits(cursor, 2, &hours)) {
        return false;
    }
    if (literal(cursor, ':') && !digits(cursor, 2, &minutes)) {
        return false;
    }
    if (literal(cursor, ':') && !digits(cursor, 2, &seconds)) {
        return false;
    }
    if (hours > 18 || minutes > 59 || seconds > 59) {
        return false;
    }
    *offset_us = sign * SECOND_US * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

bool timestamp_parse(struct bytes text, int64_t *us)
{
    if (text.data == NULL) {
        return false;
    }
    struct cursor cursor = {text.data, text.data + text.len};
    int days;
    int64_t time_us = 0;
    int64_t offset_us = 0;
    if (!parse_date(&cursor, &days)) {
        return false;
    }
    if ((literal(&cursor, ' ') || literal(&cursor, 'T')) &&
        (!parse_time(&cursor, &time_us) || !parse_offset(&cursor, &offset_us))) {
        return false;
    }
    if (cursor.at != cursor.end) {
        return false;
    }
    *us = days * (DAY_S * SECOND_US) + time_us - offset_us;
    return true;
}

static char *put_digits(char *at, int n, int value, char after)
{
    for (int i = n - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    at[n] = after;
    return at + n + 1;
}

size_t timestamp_format(int64_t us, char text[static TIMESTAMP_TEXT_SIZE])
{
    int64_t second = us / SECOND_US - (us % SECOND_US < 0);
    int64_t days = second / DAY_S - (second % DAY_S < 0);
    text[0] = '\0';
    if (days < YEAR_0001 || days > YEAR_9999_END) {
        return 0;
    }
    int rest = (int)(second - days * DAY_S);
    /* days_of() turned around: estimate the year from the mean length, which is never too small,
     * and step back. */
    int count = (int)days;
    int year = (int)((count + 719468 + 366) * INT64_C(400) / 146097) + 1;
    while (days_of(year, 1, 1) > count) {
        year--;
    }
    int month = 12;
    while (days_of(year, month, 1) > count) {
        month--;
    }
    char *at = put_digits(text, 4, year, '-');
    at = put_digits(at, 2, month, '-');
    at = put_digits(at, 2, count - days_of(year, month, 1) + 1, 'T');
    at = put_digits(at, 2, rest / 3600, ':');
    at = put_digits(at, 2, rest / 60 % 60, ':');
    at = put_digits(at, 2, rest % 60, '.');
    at = put_digits(at, 6, (int)(us - second * SECOND_US), 'Z');
    *at = '\0';
    return TIMESTAMP_TEXT_SIZE - 1;
}
