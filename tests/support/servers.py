# SPDX-License-Identifier: Apache-2.0
"""Private servers on free ports of the loopback interface: PostgreSQL, and Apache Kafka with one
or three nodes. Both are context managers; both end with the test run (see process.py)."""

import contextlib
import glob
import os
import pwd
import signal
import subprocess

import psycopg2
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from support.process import end, free_port, new_folder, spawn, wait_until

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Postgres:
    """A cluster of its own. `user` is the superuser; every local connection is trusted unless
    `authentication` says otherwise. settings: lines of postgresql.conf. copy_of: another one, that
    is stopped: begins with its data directory."""

    user = "postgres"

    def __init__(self, settings=None, authentication="trust", copy_of=None):
        self.binaries = os.environ.get("PG_BIN") or _newest_postgres()
        self.owner = "postgres" if os.getuid() == 0 else None
        self.folder = new_folder("postgres", self.owner)
        self.data = os.path.join(self.folder, "data")
        self.log_file = os.path.join(self.folder, "server.log")
        self.address = "127.0.0.1"
        self.port = free_port()
        self.process = None
        if copy_of is None:
            self._initdb(authentication)
        else:
            subprocess.run(["cp", "-a", copy_of.data, self.data], check=True)
        self.configure(
            {
                "listen_addresses": self.address,
                "port": self.port,
                "unix_socket_directories": self.folder,
                "wal_level": "logical",
                "max_connections": 200,
                "max_wal_senders": 60,
                "max_replication_slots": 60,
                "shared_buffers": "128MB",
                "max_wal_size": "2GB",
                "checkpoint_timeout": "30min",
                "fsync": "off",  # a killed server keeps what the kernel has; only a dead machine would not
                "log_min_messages": "warning",
                "log_line_prefix": "%m [%p] %q%a ",
                **(settings or {}),
            }
        )

    def configure(self, settings):
        """Adds settings; the last one of a name counts. Takes effect at the next start or reload()."""
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            for name, value in settings.items():
                file.write(f"{name} = '{value}'\n")

    def start(self):
        # SIGQUIT when this run dies: the server ends at once, with all its processes.
        with open(self.log_file, "ab") as log:
            self.process = spawn(
                [os.path.join(self.binaries, "postgres"), "-D", self.data],
                death_signal=signal.SIGQUIT,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._as_owner(),
            )
        wait_until(self.answers, 60, f"PostgreSQL answers on port {self.port}")
        return self

    def stop(self, mode="fast", timeout=60):
        """smart, fast or immediate, as pg_ctl has them. Returns the exit status."""
        signals = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
        return end(self.process, signals[mode], timeout)

    def kill(self):
        """SIGKILL to the postmaster, then to what it leaves: the cluster crashes."""
        children = _children(self.process.pid)
        end(self.process, signal.SIGKILL)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        wait_until(
            lambda: not any(os.path.exists(f"/proc/{child}") for child in children),
            30,
            "the server's processes are gone",
        )

    def kill_backend(self, pid):
        """SIGKILL to one process of the server: it ends all sessions and recovers by itself."""
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 30, f"process {pid} is gone")

    def restart(self, mode="fast"):
        self.stop(mode)
        return self.start()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop("immediate")

    def dsn(self, database="postgres", user=None, socket=False):
        host = self.folder if socket else self.address
        return f"host={host} port={self.port} user={user or self.user} dbname={database}"

    def connect(self, database="postgres", user=None, **options):
        """A psycopg2 connection in autocommit mode."""
        connection = psycopg2.connect(self.dsn(database, user), **options)
        connection.autocommit = True
        return connection

    def execute(self, sql, arguments=None, database="postgres", user=None):
        """Runs one statement on a connection of its own; the rows, or None."""
        with contextlib.closing(self.connect(database, user)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(sql, arguments)
                return cursor.fetchall() if cursor.description else None

    def value(self, sql, arguments=None, database="postgres"):
        """The first column of the first row; None when there is none."""
        rows = self.execute(sql, arguments, database)
        return rows[0][0] if rows else None

    def psql(self, sql, database="postgres"):
        """Runs psql, as a person would; its output."""
        own = os.path.join(self.binaries, "psql")  # not every distribution of the server has one
        command = [own if os.path.exists(own) else "psql", "-X", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(
            command + ["-d", self.dsn(database), "-c", sql],
            check=True,
            text=True,
            capture_output=True,
        )
        return done.stdout

    def log(self):
        with open(self.log_file, encoding="utf-8", errors="replace") as file:
            return file.read()

    def _initdb(self, authentication):
        subprocess.run(
            [os.path.join(self.binaries, "initdb"), "-D", self.data, "-U", self.user]
            + ["--auth=" + authentication, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            **self._as_owner(),
        )

    def _as_owner(self):
        """PostgreSQL does not run as root."""
        if self.owner is None:
            return {}
        owner = pwd.getpwnam(self.owner)
        return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"PostgreSQL did not start:\n{self.log()[-2000:]}")
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True


# The second compiler would take a core for as long as most runs last.
NODE_JAVA = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
# What kafka-server-start.sh gives to Java, for whoever measures.
SHIPPED_JAVA = ("-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
                "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent")


class Kafka:
    """Apache Kafka (KRaft) from the jars that scripts/kafka-jars.sh keeps. Node i of 1 or 3 listens
    on 127.0.0.i. properties: more lines of server.properties."""

    cluster_id = "AAAAAAAAAAAAAAAAAAAAAQ"

    def __init__(self, nodes=1, properties=None, heap="384m", java=NODE_JAVA):
        jars = os.environ.get("WALPOST_KAFKA_JARS") or os.path.join(
            REPOSITORY, ".cache", "kafka", "libs"
        )
        if not glob.glob(os.path.join(jars, "kafka_2.13-*.jar")):
            raise RuntimeError("Kafka's jars are missing: run scripts/kafka-jars.sh")
        self.class_path = os.path.join(jars, "*")
        self.nodes = nodes
        self.heap = heap
        self.java = java
        self.folder = new_folder("kafka")
        self.addresses = {n: f"127.0.0.{n}" for n in range(1, nodes + 1)}
        self.ports = {n: free_port(self.addresses[n]) for n in self.addresses}
        self.controller_ports = {n: free_port(self.addresses[n]) for n in self.addresses}
        self.processes = {}
        self._log_start = {}
        self._admin = None
        self._write_log4j()
        for node in self.addresses:
            self._write_properties(node, properties or {})
        formatting = [self._format(node) for node in self.addresses]
        for process in formatting:
            if process.wait(180) != 0:
                raise AssertionError(f"Kafka's storage was not formatted, see {self.folder}")

    @property
    def bootstrap(self):
        return ",".join(f"{self.addresses[n]}:{self.ports[n]}" for n in self.addresses)

    def start(self):
        for node in self.addresses:
            self.spawn_node(node)
        for node in self.addresses:
            self.wait_for_node(node)
        wait_until(self._whole, 180, "every broker is registered")
        return self

    def start_node(self, node):
        self.wait_missed(node)
        self.spawn_node(node)
        self.wait_for_node(node)

    def wait_missed(self, node):
        """Until the others have noticed that a node is away. One that comes back sooner takes up what
        it led and coordinated under its old registration, and Kafka 4.3.1 can lose the end of a
        Kafka transaction when it is then taken away from it: docs/guarantees.md."""
        if any(n != node and process.poll() is None for n, process in self.processes.items()):
            wait_until(lambda: node not in self._members(), 60, f"node {node} is missed", 0.1)

    def _members(self):
        try:
            return self.admin.list_topics(timeout=5).brokers
        except KafkaException:  # it asked the one that is away
            return self.addresses

    def stop_node(self, node):
        return end(self.processes.pop(node), signal.SIGTERM, 60)

    def kill_node(self, node):
        return end(self.processes.pop(node), signal.SIGKILL)

    def freeze_node(self, node):
        self.processes[node].send_signal(signal.SIGSTOP)

    def thaw_node(self, node):
        self.processes[node].send_signal(signal.SIGCONT)

    def kill(self):
        for node in list(self.processes):
            self.kill_node(node)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()  # its data goes too

    @property
    def admin(self):
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        return self._admin

    def create_topic(self, topic, partitions=3, replication=-1, config=None):
        new = NewTopic(topic, partitions, replication, config=config or {})
        for future in self.admin.create_topics([new], operation_timeout=30).values():
            future.result()
        wait_until(lambda: topic in self.topics(), 30, f"topic {topic} is known")

    def add_partitions(self, topic, partitions):
        """partitions: how many there are then."""
        for future in self.admin.create_partitions([NewPartitions(topic, partitions)]).values():
            future.result()
        wait_until(lambda: self.topics().get(topic) == partitions, 30, f"{topic} has grown")

    def alter_topic(self, topic, config):
        """Sets these settings; others of the topic fall back to their defaults."""
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, set_config=config)
        for future in self.admin.alter_configs([resource]).values():
            future.result()

    def topics(self, prefix=""):
        """name -> number of partitions."""
        metadata = self.admin.list_topics(timeout=30)
        return {
            name: len(topic.partitions)
            for name, topic in metadata.topics.items()
            if name.startswith(prefix) and topic.error is None and topic.partitions
        }

    def _whole(self):
        try:
            return len(self.admin.list_topics(timeout=5).brokers) == self.nodes
        except KafkaException:
            return False

    def _node_file(self, node, name):
        return os.path.join(self.folder, f"node{node}.{name}")

    def _write_log4j(self):
        with open(os.path.join(self.folder, "log4j2.properties"), "w", encoding="utf-8") as file:
            file.write(
                "status = error\n"
                "appender.c.type = Console\n"
                "appender.c.name = C\n"
                "appender.c.layout.type = PatternLayout\n"
                "appender.c.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1}: %m%n\n"
                "rootLogger.level = info\n"
                "rootLogger.appenderRef.c.ref = C\n"
            )

    def _write_properties(self, node, properties):
        replicas = 3 if self.nodes == 3 else 1
        in_sync = 2 if self.nodes == 3 else 1
        address = self.addresses[node]
        voters = ",".join(
            f"{n}@{self.addresses[n]}:{self.controller_ports[n]}" for n in self.addresses
        )
        lines = {
            "process.roles": "broker,controller",
            "node.id": node,
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://{address}:{self.ports[node]},"
            f"CONTROLLER://{address}:{self.controller_ports[node]}",
            "advertised.listeners": f"PLAINTEXT://{address}:{self.ports[node]}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": os.path.join(self.folder, f"node{node}.data"),
            "num.partitions": 3,
            "default.replication.factor": replicas,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": 2,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": in_sync,
            "transaction.state.log.num.partitions": 3,
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": in_sync,
            "share.coordinator.state.topic.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0,
            "broker.heartbeat.interval.ms": 500,
            # A killed node is let in again after this. One that is alone must not be shut out
            # because the machine is busy: Kafka can lose the end of a transaction then.
            "broker.session.timeout.ms": 9000 if self.nodes == 1 else 3000,
            "auto.create.topics.enable": "false",
            "num.network.threads": 2,
            "num.io.threads": 4,
            "log.cleaner.dedupe.buffer.size": 8388608,
            "log.segment.bytes": 268435456,
            **properties,
        }
        with open(self._node_file(node, "properties"), "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in lines.items())

    def _java(self, *arguments):
        log4j = os.path.join(self.folder, "log4j2.properties")
        return ["java", f"-Dlog4j2.configurationFile={log4j}", "-Djava.awt.headless=true"] + list(
            arguments
        )

    def _format(self, node):
        with open(self._node_file(node, "format.log"), "wb") as log:
            return spawn(
                self._java("-XX:TieredStopAtLevel=1", "-cp", self.class_path)
                + ["kafka.tools.StorageTool", "format", "-t", self.cluster_id]
                + ["-c", self._node_file(node, "properties")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def spawn_node(self, node):
        log_file = self._node_file(node, "log")
        self._log_start[node] = os.path.getsize(log_file) if os.path.exists(log_file) else 0
        with open(log_file, "ab") as log:
            self.processes[node] = spawn(
                self._java(f"-Xmx{self.heap}", f"-Xms{self.heap}", *self.java)
                + ["-cp", self.class_path, "kafka.Kafka", self._node_file(node, "properties")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_for_node(self, node):
        def started():
            with open(self._node_file(node, "log"), "rb") as log:
                log.seek(self._log_start[node])
                text = log.read()
            if self.processes[node].poll() is not None:
                raise AssertionError(f"Kafka node {node} ended:\n{text[-2000:].decode()}")
            return b"Kafka Server started" in text

        wait_until(started, 300, f"Kafka node {node} is ready")


def _newest_postgres():
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    if not found:
        raise RuntimeError("no PostgreSQL server below /usr/lib/postgresql: set PG_BIN")
    return os.path.dirname(max(found, key=lambda path: float(path.split("/")[4])))


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]
