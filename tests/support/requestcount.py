"""Counting the requests that an operation makes, and the connections it makes them on."""

from contextlib import contextmanager

from requests.adapters import HTTPAdapter

from dxf.connections import _Connection, _TLSConnection


class Count:
    """What was counted."""

    def __init__(self):
        self.requests = []
        self.connections = 0

    def __str__(self):
        return f'{len(self.requests)} on {self.connections}: ' + ', '.join(self.requests)


@contextmanager
def counted(monkeypatch):
    """Count as long as this lasts."""
    count = Count()
    with monkeypatch.context() as patch:
        send = HTTPAdapter.send

        def counting_send(self, request, **kwargs):
            count.requests.append(request.method)
            return send(self, request, **kwargs)

        patch.setattr(HTTPAdapter, 'send', counting_send)
        for kind in (_Connection, _TLSConnection):
            connect = kind.connect

            def counting_connect(self, connect=connect):
                count.connections += 1
                return connect(self)

            patch.setattr(kind, 'connect', counting_connect)
        yield count
