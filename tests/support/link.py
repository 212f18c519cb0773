# SPDX-License-Identifier: Apache-2.0
"""A link to a server that can go silent: nothing passes in either direction, the end of a connection
neither, as when a firewall forgets it. New connections wait. And that can become slow."""

import contextlib
import socket
import threading

SLICE = 512  # bytes: what a slow link passes on in one piece


class Link:
    """Listens on a port of its own. The server may come and go behind it."""

    def __init__(self, address, port):
        self.target = (address, port)
        self.listener = socket.create_server((address, 0))
        self.address, self.port = self.listener.getsockname()
        self._passing = threading.Event()
        self._passing.set()
        self._fast = threading.Event()
        self._fast.set()
        self._bytes_per_second = 0.0
        self._sockets = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def go_silent(self):
        self._passing.clear()

    def pass_again(self):
        """What was held back is passed on, ends of connections too."""
        self._passing.set()

    def slow_down(self, bytes_per_second):
        """In each direction of each connection."""
        self._bytes_per_second = bytes_per_second
        self._fast.clear()

    def full_speed(self):
        """What was held back is passed on at once."""
        self._fast.set()

    def cut(self):
        """Both ends of every connection learn that it is lost. New ones are made at once."""
        for each in list(self._sockets):
            _shut(each)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._passing.set()
        self._fast.set()
        self.cut()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client):
        self._passing.wait()
        try:
            server = socket.create_connection(self.target, timeout=10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        both = (client, server)
        for each in both:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets.update(both)
        threads = [
            threading.Thread(target=self._carry, args=pair, daemon=True)
            for pair in (both, both[::-1])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._sockets.difference_update(both)
        for each in both:
            each.close()

    def _carry(self, source, sink):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(65536)
                self._passing.wait()
                if not data:
                    break
                self._pass_on(memoryview(data), sink)
        for each in (source, sink):
            _shut(each)

    def _pass_on(self, data, sink):
        while data and not self._fast.is_set():
            part, data = data[:SLICE], data[SLICE:]
            self._fast.wait(len(part) / self._bytes_per_second)
            sink.sendall(part)
        sink.sendall(data)


def _shut(each):
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
