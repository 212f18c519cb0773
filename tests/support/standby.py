# SPDX-License-Identifier: Apache-2.0
"""A physical standby of one of the harness's own PostgreSQL servers."""

import os

from support.process import wait_until
from support.servers import Postgres


class Standby(Postgres):
    """Begins as a cold copy of `primary`, which is stopped for a moment. slot: the name of a
    physical slot of the primary's to use. settings: more lines of postgresql.conf."""

    def __init__(self, primary, slot=None, settings=None):
        primary.stop()
        super().__init__(
            {
                "primary_conninfo": f"{primary.dsn()} application_name=standby",
                "hot_standby_feedback": "on",
                "wal_receiver_status_interval": "1s",
                **({"primary_slot_name": slot} if slot else {}),
                **(settings or {}),
            },
            copy_of=primary,
        )
        primary.start()
        self.be_a_standby()

    def be_a_standby(self):
        signal_file = os.path.join(self.data, "standby.signal")
        with open(signal_file, "w", encoding="ascii"):
            pass
        os.chmod(signal_file, 0o644)

    def wait_caught_up(self, primary):
        position = primary.value("select pg_current_wal_flush_lsn()::text")
        wait_until(
            lambda: self.value("select pg_last_wal_replay_lsn() >= %s::pg_lsn", (position,)),
            60,
            f"the standby has replayed {position}\n{self.log()[-2000:]}",
        )

    def start_without(self, _primary):
        """Starts again, cut off from its primary: it has what it had."""
        self.configure({"primary_conninfo": ""})
        return self.start()

    def promote(self):
        assert self.value("select pg_promote()")
        return self
