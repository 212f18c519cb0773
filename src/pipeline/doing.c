/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/doing.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void doing_init(struct doing *doing)
{
    *doing = (struct doing){.what = NULL};
    pthread_mutex_init(&doing->mutex, NULL);
}

void doing_release(struct doing *doing)
{
    pthread_mutex_destroy(&doing->mutex);
}

void doing_set(struct doing *doing, const char *what)
{
    if (doing == NULL) {
        return;
    }
    pthread_mutex_lock(&doing->mutex);
    doing->what = what;
    doing->since_us = clock_us();
    doing->trouble[0] = '\0';
    doing->remedy[0] = '\0';
    pthread_mutex_unlock(&doing->mutex);
}

void doing_trouble(struct doing *doing, const char *trouble, const char *remedy)
{
    if (doing == NULL) {
        return;
    }
    pthread_mutex_lock(&doing->mutex);
    snprintf(doing->trouble, sizeof(doing->trouble), "%s", trouble);
    snprintf(doing->remedy, sizeof(doing->remedy), "%s", remedy);
    pthread_mutex_unlock(&doing->mutex);
}

void doing_look(struct doing *doing, struct doing_look *look)
{
    pthread_mutex_lock(&doing->mutex);
    look->what = doing->what;
    look->since_us = doing->since_us;
    memcpy(look->trouble, doing->trouble, sizeof(look->trouble));
    memcpy(look->remedy, doing->remedy, sizeof(look->remedy));
    pthread_mutex_unlock(&doing->mutex);
}
