# SPDX-License-Identifier: Apache-2.0
"""What is asked of the brokers under torture: who has which part, and are all of them whole again."""

import contextlib

from confluent_kafka import KafkaException

from support.process import wait_until


def java_hash(text):
    """String.hashCode of Java, by which Kafka picks the coordinator of a transactional id."""
    value = 0
    for character in text:
        value = (31 * value + ord(character)) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


def coordinator(kafka, transactional_id):
    """The node that coordinates the transactions of an id."""
    partitions = kafka.topics("__transaction_state").get("__transaction_state", 1)
    hashed = java_hash(transactional_id)
    number = (0 if hashed == -(1 << 31) else abs(hashed)) % partitions
    return leader(kafka, "__transaction_state", number)


def leader(kafka, topic, partition):
    """The node that leads a partition; 1 when nobody does."""
    with contextlib.suppress(KafkaException, KeyError):
        found = kafka.admin.list_topics(topic, timeout=10).topics[topic].partitions[partition].leader
        if found in kafka.processes:
            return found
    return 1


class Brokers:
    """Takes brokers away and brings them back without waiting; before the next one goes, all must be
    in sync again, or what is committed could be lost, which is not walpost's to prevent."""

    def __init__(self, kafka):
        self.kafka = kafka
        self.coming = None

    def kill(self, node):
        self.kafka.kill_node(node)

    def bring_back(self, node):
        self.kafka.wait_missed(node)
        self.kafka.spawn_node(node)
        self.coming = node

    def wait_whole(self):
        if self.coming is not None:
            self.kafka.wait_for_node(self.coming)
            self.coming = None
        wait_until(self._in_sync, 300, "all replicas are in sync", 0.1)

    def _in_sync(self):
        try:
            metadata = self.kafka.admin.list_topics(timeout=5)
        except KafkaException:
            return False
        return len(metadata.brokers) == self.kafka.nodes and all(
            partition.leader > 0 and len(partition.isrs) == len(partition.replicas)
            for topic in metadata.topics.values()
            for partition in topic.partitions.values()
        )
