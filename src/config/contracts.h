/* SPDX-License-Identifier: Apache-2.0
 *
 * contracts.h - what the options of contracts: must agree on.
 * In -> out: settings and the configuration made of them -> OK, or what does not fit.
 * Owns: nothing.  Thread: main.
 * Keeps: no secret is in a message, nor in an address. */
#ifndef WALPOST_CONFIG_CONTRACTS_H
#define WALPOST_CONFIG_CONTRACTS_H

#include "config/settings.h"

/* INVALID: addresses that are none or hold a password, half a login, two kinds of login, half a
 * certificate, TLS files without TLS. */
enum verdict MUST_CHECK contracts_check(const struct settings *settings,
                                        const struct config *config, struct error *error);

#endif
