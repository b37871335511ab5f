"""A TCP proxy on loopback that makes what is behind it look far away.

    with DelayProxy(('127.0.0.1', 5000), rtt=0.05) as proxy:
        talk_to('127.0.0.1', proxy.port)
        print(proxy.connections, proxy.bytes_up, proxy.bytes_down)

Every byte arrives half a round trip after it was sent, in either direction;
any number may be on the way at once, so that it is delay and no throttle. With
`bandwidth`, each connection carries that many bytes per second each way at most.

Connecting to loopback takes no time, so a new connection's first bytes leave
one round trip after it was made, as after a real handshake. What can't be
shown this way: a refused connection is one that is made and then reset.

As a program, for clients whose measured time the proxy's own must not disturb:

    python delayproxy.py 127.0.0.1:5000 --rtt 0.05

It prints its port and ends when its standard input does.
"""

import argparse
import asyncio
import collections
import socket
import struct
import sys
import threading

# Taken from a socket at a time; larger ones bring nothing on loopback.
READ = 256 * 1024
# On the way at most, per connection and direction: 2.5 GiB/s over 25 ms, which
# is more than the proxy itself can carry, so only a receiver that has stopped
# reading ever makes a sender wait for it.
WINDOW = 64 * 1024 * 1024
# With a bandwidth: read this many seconds ahead of it, since timers are late
# by up to a millisecond, and that must not make the link slower.
AHEAD = 0.005
# What closes a socket with a reset instead of a FIN.
RESETTING = struct.pack('ii', 1, 0)


class DelayProxy:
    """Forward connections to `target`, a (host, port), `rtt` seconds away."""

    def __init__(self, target, rtt=0.0, bandwidth=None):
        self.target = target
        self.rtt = rtt
        self.bandwidth = bandwidth
        # Counted as they come in: what a client has an answer to is counted.
        self.connections = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self.port = None
        self._listener = None
        self._thread = None
        self._loop = None
        self._stopping = None
        self._tasks = set()  # the loop itself holds tasks by weak references

    def __enter__(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(('127.0.0.1', 0))
        self._listener.listen(1024)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        started = threading.Event()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._run(started),), name='delayproxy', daemon=True
        )
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *exc_info):
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._listener.close()

    async def _run(self, started):
        """Accept until told to stop; asyncio.run then cancels what still runs."""
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._start(self._accept())
        started.set()
        await self._stopping.wait()

    def _start(self, coroutine):
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _accept(self):
        while True:
            client, _ = await self._loop.sock_accept(self._listener)
            self.connections += 1
            self._start(self._connection(client))

    async def _connection(self, client):
        """Carry one connection both ways until both have ended."""
        opened = self._loop.time() + self.rtt
        server = socket.socket(socket.AF_INET6 if ':' in self.target[0] else socket.AF_INET)
        in_order = False
        try:
            for sock in (client, server):
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                await self._loop.sock_connect(server, self.target)
            except OSError:
                await asyncio.sleep(self.rtt)
                return
            ways = [
                self._start(_Way(self, client, server, opened, 'bytes_up').carry()),
                self._start(_Way(self, server, client, opened, 'bytes_down').carry()),
            ]
            try:
                in_order = all(await asyncio.gather(*ways))
            except ConnectionError:
                pass  # one side reset it, and so is the other now
            finally:
                await _cancel(*ways)  # nobody may wait for a closed socket
        finally:
            for sock in (client, server):
                if not in_order:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
                sock.close()


class _SinkGone(Exception):
    """Nothing more can be written."""


class _Way:
    """One direction of one connection."""

    def __init__(self, proxy, source, sink, opened, counter):
        self.proxy = proxy
        self.source = source
        self.sink = sink
        self.counter = counter
        self.free = opened  # when the link can take the next byte
        self.loop = asyncio.get_running_loop()
        self.flying = collections.deque()  # (when due, bytes; none at the end)
        self.size = 0  # bytes in flying
        self.changed = asyncio.Event()
        self.reset = False  # the source did not end in order

    async def carry(self):
        """Carry until the source ends, or the sink is gone: False then.

        What the sink said before it went still comes by the other way. A
        source that resets the connection raises ConnectionResetError, which
        ends both ways.
        """
        taking = self.loop.create_task(self._take())
        try:
            await self._give()
        except _SinkGone:
            await asyncio.sleep(self.proxy.rtt / 2)  # until the news is here
            return False
        finally:
            await _cancel(taking)
        if self.reset:
            raise ConnectionResetError
        return True

    async def _take(self):
        """Read, and note when each piece is due at the other end."""
        bandwidth = self.proxy.bandwidth
        most = READ
        if bandwidth:
            # In pieces small enough to trickle, none smaller than a packet.
            most = min(READ, max(1460, int(bandwidth * AHEAD)))
        data = True
        while data:
            try:
                data = await self.loop.sock_recv(self.source, most)
            except OSError:
                data, self.reset = b'', True
            setattr(self.proxy, self.counter, getattr(self.proxy, self.counter) + len(data))
            now = self.loop.time()
            self.free = max(now, self.free)
            if bandwidth:
                self.free += len(data) / bandwidth
            self.flying.append((self.free + self.proxy.rtt / 2, data))
            self.size += len(data)
            self.changed.set()
            if bandwidth and self.free - AHEAD > now:
                await asyncio.sleep(self.free - AHEAD - now)
            while self.size > WINDOW:
                await self._change()

    async def _give(self):
        """Write each piece when it is due."""
        data = True
        while data:
            while not self.flying:
                await self._change()
            due, data = self.flying.popleft()
            left = due - self.loop.time()
            if left > 0:
                await asyncio.sleep(left)
            try:
                if data:
                    await self.loop.sock_sendall(self.sink, data)
                elif not self.reset:
                    self.sink.shutdown(socket.SHUT_WR)
            except OSError as error:
                raise _SinkGone from error
            self.size -= len(data)
            self.changed.set()

    async def _change(self):
        """Wait for the other half to have done something."""
        self.changed.clear()
        await self.changed.wait()


async def _cancel(*tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def main():
    parser = argparse.ArgumentParser(description='Make a TCP server look far away.')
    parser.add_argument('target', help='HOST:PORT')
    parser.add_argument('--rtt', type=float, default=0.0, metavar='SECONDS')
    parser.add_argument(
        '--bandwidth', type=float, metavar='BYTES_PER_SECOND', help='of each connection, each way'
    )
    args = parser.parse_args()
    host, _, port = args.target.rpartition(':')
    with DelayProxy((host.strip('[]'), int(port)), args.rtt, args.bandwidth) as proxy:
        print(proxy.port, flush=True)
        sys.stdin.read()


if __name__ == '__main__':
    main()
