/* SPDX-License-Identifier: Apache-2.0
 *
 * secrets.h - takes what walpost sent in secret out of what came back.
 * In -> out: foreign text (an error page may repeat the request) -> the same with stars.
 * Owns: nothing.  Thread: any; pure.
 * Keeps: secrets are never logged, whoever says them. */
#ifndef WALPOST_REGISTRY_SECRETS_H
#define WALPOST_REGISTRY_SECRETS_H

#include "config/config.h"

/* Token, password, and user and password as basic authentication sends them. In place. */
void secrets_hide(const struct config *config, char *text);

#endif
