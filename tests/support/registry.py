# SPDX-License-Identifier: Apache-2.0
"""Schema registries: a real one (Apicurio, through its Confluent API), and one that misbehaves."""

import base64
import contextlib
import glob
import http.server
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

from support.process import end, free_port, new_folder, spawn, wait_until
from support.servers import NODE_JAVA, REPOSITORY

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


class Registry:
    """A real registry from the jars that scripts/registry-jars.sh keeps; what it holds is in its
    memory, so a restart forgets it."""

    def __init__(self, heap="320m"):
        jars = os.environ.get("WALPOST_REGISTRY_JARS") or os.path.join(
            REPOSITORY, ".cache", "registry"
        )
        found = glob.glob(os.path.join(jars, "apicurio-registry-app-*-runner.jar"))
        if not found:
            raise RuntimeError("the registry's jars are missing: run scripts/registry-jars.sh")
        self.jar = found[0]
        self.release = re.search(r"-app-(.+)-runner", self.jar).group(1)
        self.heap = heap
        self.folder = new_folder("registry")
        self.log_file = os.path.join(self.folder, "server.log")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/apis/ccompat/v7"
        self.process = None

    def start(self):
        with open(self.log_file, "ab") as log:
            self.process = spawn(
                ["java", f"-Xmx{self.heap}", *NODE_JAVA, "-jar", self.jar],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "QUARKUS_HTTP_HOST": "127.0.0.1",
                    "QUARKUS_HTTP_PORT": str(self.port),
                },
            )
        wait_until(self._answers, 180, f"the registry answers on port {self.port}")
        return self

    def stop(self):
        return end(self.process, signal.SIGTERM, 60)

    def kill(self):
        return end(self.process, signal.SIGKILL)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    def ask(self, method, path, body=None):
        """(status, JSON) of one request."""
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": CONTENT_TYPE},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def get(self, path):
        status, answer = self.ask("GET", path)
        assert status == 200, (path, status, answer)
        return answer

    def subjects(self):
        return set(self.get("/subjects"))

    def versions(self, subject):
        return self.get(f"/subjects/{urllib.parse.quote(subject, safe='')}/versions")

    def version(self, subject, version="latest"):
        return self.get(f"/subjects/{urllib.parse.quote(subject, safe='')}/versions/{version}")

    def _answers(self):
        if self.process.poll() is not None:
            with open(self.log_file, encoding="utf-8", errors="replace") as log:
                raise AssertionError(f"the registry did not start:\n{log.read()[-2000:]}")
        try:
            return self.ask("GET", "/subjects")[0] == 200
        except (urllib.error.URLError, ConnectionError, ValueError):
            return False


class FakeRegistry:
    """Answers every request as `answer` says: a function of (method, path, headers, body) that
    returns (status, body) or (status, body, headers), or does not return while `release` is not
    set. tls: an ssl.SSLContext."""

    def __init__(self, answer, tls=None, port=0):
        fake = self
        self.answer = answer
        self.requests = []
        self.release = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                fake.requests.append((self.command, self.path, dict(self.headers), body))
                status, text, *more = fake.answer(self.command, self.path, self.headers, body)
                data = text if isinstance(text, bytes) else text.encode()
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in (more[0] if more else {}).items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that went away, or did not trust us

        self.server = Server(("127.0.0.1", port), Handler)
        scheme = "http"
        if tls is not None:
            scheme = "https"
            self.server.socket = tls.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def hang(self, *_):
        self.release.wait()
        return 500, ""


def wants_login(answer, authorization):
    """`answer`, for those who say this Authorization header."""

    def guarded(method, path, headers, body):
        if headers.get("Authorization") != authorization:
            # As some servers do: the error page repeats the request.
            return 401, json.dumps({"error_code": 40101, "message": f"Unauthorized: {headers}"})
        return answer(method, path, headers, body)

    return guarded


def basic(username, password):
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


class Certificates:
    """A CA of our own, with certificates for a server and a client; files in PEM."""

    def __init__(self):
        self.folder = new_folder("certificates")
        self._openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=walpost-test-ca")
        self.ca = self.path("ca.pem")
        for name, address in {"server": "IP:127.0.0.1", "client": "DNS:client"}.items():
            self._sign(name, address)
        self._sign("stranger", "DNS:elsewhere.invalid")

    def path(self, name):
        return os.path.join(self.folder, name)

    def _openssl(self, line, *files, key="ca.key", out="ca.pem"):
        subprocess.run(
            ["openssl", *line.split(), "-keyout", key, "-out", out, *files],
            check=True,
            cwd=self.folder,
            capture_output=True,
        )

    def _sign(self, name, address):
        self._openssl(
            f"req -newkey rsa:2048 -nodes -subj /CN={name}", key=name + ".key", out=name + ".csr"
        )
        with open(self.path(name + ".ext"), "w", encoding="ascii") as file:
            file.write(f"subjectAltName={address}\n")
        subprocess.run(
            f"openssl x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
            f" -extfile {name}.ext -out {name}.pem".split(),
            check=True,
            cwd=self.folder,
            capture_output=True,
        )

    def server_context(self, name="server", wants_client=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(name + ".pem"), self.path(name + ".key"))
        if wants_client:
            context.load_verify_locations(self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context
