# SPDX-License-Identifier: Apache-2.0
"""A harness for real servers: private PostgreSQL and Kafka, a writer that knows what it committed,
a reader that checks what arrived."""
