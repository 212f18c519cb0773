/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/said.h"

Test(said, the_same_words_wait_and_others_do_not)
{
    struct said said = {.at_us = 0};
    cr_expect(said_anew(&said, "Kafka is away", 100, 1000));
    cr_expect_not(said_anew(&said, "Kafka is away", 100, 1001));
    cr_expect_not(said_anew(&said, "Kafka is away", 100, 1099));
    cr_expect(said_anew(&said, "Kafka is away", 100, 1100));
    cr_expect_not(said_anew(&said, "Kafka is away", 100, 1199), "counted from the last time");
    cr_expect(said_anew(&said, "PostgreSQL is away", 100, 1199));
    cr_expect(said_anew(&said, "Kafka is away", 100, 1200));
    said = (struct said){.at_us = 0};
    cr_expect(said_anew(&said, "Kafka is away", 100, 1201), "what is forgotten is new");
}
