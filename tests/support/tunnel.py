"""A proxy for https: it is told whom to connect to, and carries bytes without looking at them."""

import contextlib
import socket
import threading

SECONDS = 30


class TunnelProxy:
    """`targets` lists whom clients wanted; `heads` the whole requests that said so."""

    def __init__(self):
        self.targets = []
        self.heads = []
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://localhost:{self._listener.getsockname()[1]}'
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                client.settimeout(SECONDS)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            head = b''
            while b'\r\n\r\n' not in head:
                head += client.recv(65536)
            method, target, _ = head.decode('latin-1').split(' ', 2)
            self.heads.append(head.decode('latin-1'))
            self.targets.append((method, target))
            host, _, port = target.rpartition(':')
            with socket.create_connection((host, int(port)), SECONDS) as server:
                client.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')
                back = threading.Thread(target=carry, args=(server, client), daemon=True)
                back.start()
                carry(client, server)
                back.join(SECONDS)

    def stop(self):
        # Closing alone does not wake one that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def carry(source, target):
    with contextlib.suppress(OSError):
        for data in iter(lambda: source.recv(65536), b''):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
