/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/output.h"

#include <stdlib.h>

#include "base/check.h"

enum { FIRST_SIZE = 4096 };

void output_init(struct output *output)
{
    char *memory = must_malloc(FIRST_SIZE + OUTPUT_SLACK);
    *output = (struct output){.begin = memory, .at = memory, .end = memory + FIRST_SIZE};
}

void output_release(struct output *output)
{
    free(output->begin);
    *output = (struct output){0};
}

void output_grow(struct output *output, size_t size)
{
    size_t len = output_len(output);
    size_t capacity = (size_t)(output->end - output->begin);
    while (capacity < len + size) {
        capacity *= 2;
    }
    if (output->borrowed) {
        char *own = must_malloc(capacity + OUTPUT_SLACK);
        memcpy(own, output->begin, len);
        output->begin = own;
        output->borrowed = false;
    } else {
        output->begin = must_realloc(output->begin, capacity + OUTPUT_SLACK);
    }
    output->at = output->begin + len;
    output->end = output->begin + capacity;
}
