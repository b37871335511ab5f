"""Bodies: which are used up by being sent, and which can be sent again."""

import io
import os

import pytest

from dxf.bodies import is_stream, position, rewind
from dxf.exceptions import DXFCannotRewindError


@pytest.mark.parametrize(
    ('body', 'expected'),
    [
        (None, False),
        (b'x', False),
        (bytearray(b'x'), False),
        ('x', False),
        ([b'x'], False),
        ((b'x',), False),
        ({'a': 'b'}, False),
        (iter([b'x']), True),
        (io.BytesIO(b'x'), True),
        ((piece for piece in ()), True),
    ],
)
def test_streams(body, expected):
    assert is_stream(body) == expected


def test_a_stream_is_rewound_to_where_it_was():
    body = io.BytesIO(b'12345')
    body.read(2)
    start = position(body)
    body.read()
    rewind(body, start)
    assert body.read() == b'345'


@pytest.mark.parametrize('body', [None, b'x', 'x', [b'x'], {}])
def test_what_is_no_stream_needs_no_rewinding(body):
    rewind(body, position(body))


def test_a_generator_can_not_be_rewound():
    body = iter([b'x'])
    assert position(body) is None
    with pytest.raises(DXFCannotRewindError):
        rewind(body, position(body))


def test_a_pipe_can_not_be_rewound():
    reading, writing = os.pipe()
    os.close(writing)
    with open(reading, 'rb', buffering=0) as pipe:
        assert position(pipe) is None
        with pytest.raises(DXFCannotRewindError):
            rewind(pipe, position(pipe))
