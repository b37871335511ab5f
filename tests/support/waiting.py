"""Free ports, and waiting that comes to an end."""

import socket
import time

# Long enough for a busy machine; a healthy start takes a tenth of a second.
START_SECONDS = 30


def free_port():
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_until(condition, what, seconds=START_SECONDS):
    """Return the condition's first true value; TimeoutError, naming `what`, if none comes."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f'{what}: not within {seconds} seconds')
        time.sleep(0.02)
