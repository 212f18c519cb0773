/* SPDX-License-Identifier: Apache-2.0
 *
 * complaint.h - what a person needs of a line in which the client complains.
 * In: a line of librdkafka. Out: who complains, and the reason.
 * Owns: nothing.
 * Thread: any; pure.
 * Keeps: nothing. */
#ifndef WALPOST_KAFKA_COMPLAINT_H
#define WALPOST_KAFKA_COMPLAINT_H

/* In place: "db1:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after
 * 0ms in state CONNECT, 1 identical error(s) suppressed)" becomes "db1:9092: Connection refused".
 */
void complaint_shorten(char *text);

#endif
