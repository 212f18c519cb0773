# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that can lose, freeze and slow a link."""

import contextlib
import select
import socket
import struct
import threading
import time

SLICE = 0.02  # seconds between two looks


class Proxy:
    """Listens on a free port of the loopback interface and forwards to `address`, `port`."""

    def __init__(self, address, port):
        self.target = (address, port)
        self.address = "127.0.0.1"
        self.frozen = False  # nothing passes, nobody is told
        self.closed = False  # new connections are refused
        self.bytes_per_second = None
        self._listener = None
        self._pairs = []  # [client, server]; None: that side is gone
        self._stop = False
        self._lock = threading.Lock()
        self._listen(0)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _listen(self, port):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(50)
        self._listener = listener

    def cut(self):
        """Both sides are told (RST), and nobody gets in."""
        with self._lock:
            self._listener.close()
            self.closed = True
            self._reset_all(0)
            self._reset_all(1)
            self._pairs.clear()

    def cut_here(self):
        """The client's side alone is told; the server knows nothing of it."""
        with self._lock:
            self._reset_all(0)

    def mend(self):
        with self._lock:
            self.frozen = False
            self.bytes_per_second = None
            if self.closed:
                self._listen(self.port)
                self.closed = False

    def _reset_all(self, side):
        for pair in self._pairs:
            if pair[side] is not None:
                pair[side].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                pair[side].close()
                pair[side] = None

    def close(self):
        self._stop = True
        self._thread.join(10)
        self.cut()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _run(self):
        while not self._stop:
            with self._lock:
                idle = not self._turn()
            if idle:
                time.sleep(SLICE)

    def _turn(self):
        """Forwards what is there; whether there was something."""
        if self.closed or self.frozen:
            return False
        sockets = {self._listener: None}
        for pair in self._pairs:
            if None not in pair:
                sockets[pair[0]] = pair
                sockets[pair[1]] = pair
        readable = select.select(list(sockets), [], [], SLICE)[0]
        for ready in readable:
            if ready is self._listener:
                self._accept()
            elif None not in sockets[ready]:
                self._forward(ready, sockets[ready])
        return bool(readable)

    def _accept(self):
        client = self._listener.accept()[0]
        try:
            server = socket.create_connection(self.target, 5)
        except OSError:
            client.close()
            return
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pairs.append([client, server])

    def _forward(self, ready, pair):
        other = pair[1] if ready is pair[0] else pair[0]
        try:
            data = ready.recv(65536 if self.bytes_per_second is None else 1024)
            if data:
                if self.bytes_per_second is not None:
                    time.sleep(len(data) / self.bytes_per_second)
                other.sendall(data)
                return
        except OSError:
            pass
        for side in pair:
            with contextlib.suppress(OSError):
                side.close()
        self._pairs.remove(pair)
        pair[:] = [None, None]
