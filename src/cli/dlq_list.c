/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"
#include "cli/dlq.h"
#include "cli/json.h"
#include "cli/say.h"
#include "dlq/topic.h"
#include "outbox/json.h"

enum { COLUMNS = 6, WIDTH_MAX = 40, SCREEN_DEFAULT = 120, INDENT = 2 };

/* What is read for list and show. */
struct found {
    struct remaker *remaker;
    struct letters *letters;
    struct letter **sorted;
    size_t count;
};

static enum verdict find(const struct dlq_order *order, struct found *found, struct error *error)
{
    *found = (struct found){.remaker = NULL};
    enum verdict verdict = remaker_new(order->config, &found->remaker, error);
    if (verdict == OK) {
        verdict = dlq_read(order->config, &order->filter, found->remaker, &found->letters, error);
    }
    if (verdict == OK) {
        found->sorted = letters_sorted(found->letters);
        found->count = letters_count(found->letters);
    }
    return verdict;
}

static void found_release(struct found *found)
{
    free(found->sorted);
    letters_free(found->letters);
    remaker_free(found->remaker);
}

/* --- list: a table for a person, one line of tabs for each letter for a pipe --- */

static const struct {
    const char *title;
    const char *header; /* NULL: the key of the letter */
} columns[COLUMNS] = {
    {"ID", NULL},     {"REASON", "reason"}, {"TYPE", "event_type"}, {"KEY", "aggregate_id"},
    {"TIME", "time"}, {"DETAIL", "detail"},
};

static struct bytes cell(const struct letter *letter, size_t column)
{
    return columns[column].header == NULL ? letter->key
                                          : letter_header(letter, columns[column].header);
}

static size_t screen_width(void)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : SCREEN_DEFAULT;
}

static void print_cell(struct bytes text, size_t width, bool last)
{
    size_t written = say_text(stdout, text, width);
    if (last) {
        printf("\n");
    } else {
        printf("%*s", (int)(width - written) + 2, "");
    }
}

static void print_table(const struct found *found)
{
    size_t widths[COLUMNS];
    size_t used = 0;
    for (size_t c = 0; c + 1 < COLUMNS; c++) {
        widths[c] = strlen(columns[c].title);
        for (size_t i = 0; i < found->count; i++) {
            size_t width = say_width(cell(found->sorted[i], c));
            widths[c] = width > widths[c] ? width : widths[c];
        }
        if (widths[c] > WIDTH_MAX) {
            widths[c] = WIDTH_MAX;
        }
        used += widths[c] + 2;
    }
    size_t screen = screen_width();
    widths[COLUMNS - 1] = screen > used + WIDTH_MAX ? screen - used : WIDTH_MAX;
    for (size_t c = 0; c < COLUMNS; c++) {
        print_cell(bytes_of(columns[c].title), widths[c], c + 1 == COLUMNS);
    }
    for (size_t i = 0; i < found->count; i++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            print_cell(cell(found->sorted[i], c), widths[c], c + 1 == COLUMNS);
        }
    }
    printf("%zu dead letter%s\n", found->count, found->count == 1 ? "" : "s");
    say_next("walpost dlq show ID says what is wrong with one, and what mends it.");
}

static void print_lines(const struct found *found)
{
    for (size_t i = 0; i < found->count; i++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            say_text(stdout, cell(found->sorted[i], c), 0);
            fputc(c + 1 == COLUMNS ? '\n' : '\t', stdout);
        }
    }
}

static void print_facts_json(struct json *json, struct remaker *remaker,
                             const struct letter *letter)
{
    static const char *const facts[] = {"reason",       "detail",       "event_type",
                                        "aggregate_id", "time",         "position",
                                        "source_topic", "source_table", "attempt"};
    json_bytes(json, "id", letter->key);
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        json_bytes(json, facts[i], letter_header(letter, facts[i]));
    }
    json_bytes(json, "key", remaker_key(remaker, letter));
    json_bytes(json, "value", letter_header(letter, "value"));
    json_int(json, "value_bytes", (int64_t)letter->value_len);
    json_bool(json, "cut", letter_is_cut(letter));
    json_int(json, "partition", letter->partition);
    json_int(json, "offset", letter->offset);
}

static void print_json(const struct dlq_order *order, const struct found *found)
{
    struct json json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_text(&json, "stream", order->config->stream);
    json_text(&json, "topic", order->config->dead_letter_topic);
    json_int(&json, "count", (int64_t)found->count);
    json_open(&json, "letters", '[');
    for (size_t i = 0; i < found->count; i++) {
        json_open(&json, NULL, '{');
        print_facts_json(&json, found->remaker, found->sorted[i]);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
    printf("\n");
}

enum verdict dlq_list(const struct dlq_order *order, struct error *error)
{
    struct found found;
    enum verdict verdict = find(order, &found, error);
    if (verdict == OK && order->json) {
        print_json(order, &found);
    } else if (verdict == OK && isatty(STDOUT_FILENO) != 1) {
        print_lines(&found);
    } else if (verdict == OK && found.count == 0) {
        printf("there are no dead letters%s\n",
               filter_is_empty(&order->filter) ? "" : " of this kind");
    } else if (verdict == OK) {
        print_table(&found);
    }
    found_release(&found);
    return verdict;
}

/* --- show --- */

struct prospect {
    struct remade remade;
    struct error error;
    enum verdict verdict;
};

static void new_line(FILE *out, size_t depth)
{
    fprintf(out, "\n%*s", (int)(INDENT * (depth + 1)), "");
}

/* JSON that was checked, spread out. */
static void print_indented(FILE *out, struct bytes text)
{
    size_t depth = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '"') {
            size_t end = i + 1;
            while (text.data[end] != '"') {
                end += text.data[end] == '\\' ? 2 : 1;
            }
            say_text(out, (struct bytes){text.data + i, end + 1 - i}, 0);
            i = end;
        } else if (c == '{' || c == '[') {
            fputc(c, out);
            size_t next = i + 1;
            while (strchr(" \t\r\n", text.data[next]) != NULL) {
                next++;
            }
            if (text.data[next] == '}' || text.data[next] == ']') {
                fputc(text.data[next], out);
                i = next;
            } else {
                new_line(out, ++depth);
            }
        } else if (c == '}' || c == ']') {
            new_line(out, --depth);
            fputc(c, out);
        } else if (c == ',') {
            fputc(c, out);
            new_line(out, depth);
        } else if (c == ':') {
            fputs(": ", out);
        } else if (strchr(" \t\r\n", c) == NULL) {
            fputc(c, out);
        }
    }
}

static void print_value(const struct letter *letter, struct bytes value)
{
    switch (letter_value(letter)) {
    case LETTER_NOTHING: printf("payload:  not in the letter\n"); return;
    case LETTER_MESSAGE: printf("the logical message as a whole:\n  "); break;
    case LETTER_PAYLOAD: printf("payload:\n  "); break;
    }
    if (json_check(value) == JSON_FINE) {
        print_indented(stdout, value);
    } else {
        say_text(stdout, value, 0);
    }
    printf("\n");
}

static void print_prospect(const struct letter *letter, const struct prospect *prospect)
{
    printf("replay:   ");
    if (prospect->verdict == OK) {
        struct bytes key = prospect->remade.event.key;
        printf("would publish it to %s with key ", prospect->remade.record.topic);
        say_text(stdout, key, 80);
        printf("\n          walpost dlq replay --id ");
        say_text(stdout, letter->key, 0);
        printf("\n");
        return;
    }
    say_text(stdout, bytes_of(prospect->error.what), 0);
    if (prospect->error.remedy[0] != '\0') {
        printf("\n          %s", prospect->error.remedy);
    }
    printf("\n");
}

static void print_letter(const struct letter *letter, struct bytes value,
                         const struct prospect *prospect)
{
    printf("id:       ");
    say_text(stdout, letter->key, 0);
    printf("\nreason:   ");
    say_text(stdout, letter_header(letter, "reason"), 0);
    printf("\ndetail:   ");
    say_text(stdout, letter_header(letter, "detail"), 0);
    printf("\nstands:   partition %d, offset %lld\n", (int)letter->partition,
           (long long)letter->offset);
    print_prospect(letter, prospect);
    printf("headers:\n");
    for (size_t i = 0; i < letter->n_headers; i++) {
        printf("  ");
        size_t width = say_text(stdout, letter->headers[i].name, 0);
        printf("%*s", width < 16 ? (int)(17 - width) : 1, "");
        say_text(stdout, letter->headers[i].value, 0);
        printf("\n");
    }
    print_value(letter, value);
}

static void print_letter_json(const struct dlq_order *order, struct remaker *remaker,
                              const struct letter *letter, struct bytes value,
                              const struct prospect *prospect)
{
    struct json json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_text(&json, "stream", order->config->stream);
    print_facts_json(&json, remaker, letter);
    json_open(&json, "headers", '{');
    for (size_t i = 0; i < letter->n_headers; i++) {
        json_pair(&json, letter->headers[i].name, letter->headers[i].value);
    }
    json_close(&json, '}');
    if (letter_value(letter) == LETTER_NOTHING) {
        json_null(&json, "payload");
    } else if (json_check(value) == JSON_FINE) {
        json_raw(&json, "payload", value);
    } else {
        json_bytes(&json, "payload", value);
    }
    json_open(&json, "replay", '{');
    json_bool(&json, "possible", prospect->verdict == OK);
    bool possible = prospect->verdict == OK;
    json_text(&json, "topic", possible ? prospect->remade.record.topic : NULL);
    json_text(&json, "trouble", possible ? NULL : prospect->error.what);
    json_text(&json, "remedy", possible ? NULL : prospect->error.remedy);
    json_close(&json, '}');
    json_close(&json, '}');
    printf("\n");
}

static enum verdict show_letter(const struct dlq_order *order, struct found *found,
                                struct error *error)
{
    struct letter *letter = found->sorted[0];
    struct bytes value = BYTES_NULL;
    enum verdict verdict = dlq_read_values(order->config, &letter, 1, &value, error);
    if (verdict != OK) {
        return verdict;
    }
    if (value.data == NULL) {
        error_set(error, RETRY, "the dead letter has just been replaced or removed");
        return error_remedy(error, "Look again.");
    }
    struct prospect *prospect = must_calloc(1, sizeof(*prospect));
    bool holds = letter_value(letter) != LETTER_NOTHING;
    prospect->verdict = remaker_load_contracts(found->remaker, &prospect->error);
    if (prospect->verdict == OK) {
        prospect->verdict = remake_from_value(found->remaker, letter, holds ? value : BYTES_NULL,
                                              &prospect->remade, &prospect->error);
    }
    if (order->json) {
        print_letter_json(order, found->remaker, letter, value, prospect);
    } else {
        print_letter(letter, value, prospect);
    }
    remade_release(&prospect->remade);
    free(prospect);
    free((char *)value.data);
    return OK;
}

enum verdict dlq_show(const struct dlq_order *order, struct error *error)
{
    struct found found;
    enum verdict verdict = find(order, &found, error);
    if (verdict == OK && found.count == 0) {
        error_set(error, INVALID, "there is no dead letter %.80s", order->invocation->words[1]);
        verdict = error_remedy(error, "`walpost dlq list` lists those that are neither replayed "
                                      "nor purged.");
    } else if (verdict == OK) {
        verdict = show_letter(order, &found, error);
    }
    found_release(&found);
    return verdict;
}
