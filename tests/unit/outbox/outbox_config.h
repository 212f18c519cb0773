/* SPDX-License-Identifier: Apache-2.0
 *
 * outbox_config.h - the configuration that the mapper sees when nothing is configured.
 * In -> out: nothing -> struct config with the default names.
 * Owns: nothing; the strings are static. */
#ifndef WALPOST_TESTS_OUTBOX_CONFIG_H
#define WALPOST_TESTS_OUTBOX_CONFIG_H

#include "config/config.h"

struct config outbox_config(void);

#endif
