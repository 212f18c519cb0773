/* SPDX-License-Identifier: Apache-2.0
 *
 * macros.h - the few compiler attributes that every header uses.
 * In -> out: nothing.  Owns: nothing.  Thread: any.  Keeps: nothing. */
#ifndef WALPOST_BASE_MACROS_H
#define WALPOST_BASE_MACROS_H

#define MUST_CHECK                 __attribute__((warn_unused_result))
#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))
#define ARRAY_LEN(array)           (sizeof(array) / sizeof((array)[0]))
#define UNUSED                     __attribute__((unused))

#endif
