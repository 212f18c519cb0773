/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/sql_text.h"

#include <inttypes.h>
#include <stdbool.h>

static bool is_plain(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == '\\' || text.data[i] == '$') {
            return false;
        }
    }
    return true;
}

void sql_literal(FILE *out, struct bytes text)
{
    bool plain = is_plain(text);
    fputs(plain ? "'" : "E'", out);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '\'') {
            fputs("''", out);
        } else if (!plain && (c < 0x20 || c == '\\' || c == '$')) {
            fprintf(out, "\\x%02x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('\'', out);
}

void sql_name(FILE *out, const char *name)
{
    fputc('"', out);
    for (; *name != '\0'; name++) {
        if (*name == '"') {
            fputc('"', out);
        }
        fputc(*name, out);
    }
    fputc('"', out);
}

void sql_short_name(char name[static SQL_NAME_SIZE], const char *long_name)
{
    enum { HASH_LEN = 17, KEPT = SQL_NAME_SIZE - 1 - HASH_LEN };
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    bool plain = true;
    size_t len = strlen(long_name);
    size_t kept = len < KEPT ? len : KEPT;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)long_name[i];
        hash = (hash ^ c) * UINT64_C(0x100000001b3);
        plain = plain && c >= 0x20 && c < 0x7F && c != '$' && c != '"';
    }
    if (plain && len < SQL_NAME_SIZE) {
        memcpy(name, long_name, len + 1);
        return;
    }
    for (size_t i = 0; i < kept; i++) {
        char c = long_name[i];
        name[i] = c >= 0x20 && c < 0x7F && c != '$' && c != '"' ? c : '_';
    }
    snprintf(name + kept, SQL_NAME_SIZE - kept, " %016" PRIx64, hash);
}
