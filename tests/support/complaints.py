"""How `main` ends where something goes wrong, in this process or in one of its own."""

import sys
from unittest import mock

import dxf.main

from .shell import Result, streams, written


def run_main(*args, environ):
    """`main` in this process, for what can't be brought about in another one."""
    made = streams()
    with mock.patch.multiple(sys, argv=['dxf', *map(str, args)], **made), mock.patch.object(
        dxf.main.os, 'environ', environ
    ):
        try:
            dxf.main.main()
        except SystemExit as e:
            code = e.code
    return Result(code, written(made['stdout']), written(made['stderr']))


def complaint(result, printed=b''):
    """What one line on stderr says, where a command failed and printed no more than that."""
    code, out, err = result
    assert code not in (None, 0, 2), result
    return said(Result(code, out, err), printed)


def said(result, printed=b''):
    text = result.err.decode()
    assert result.out == printed, result
    assert 'Traceback' not in text, text
    assert text.startswith('dxf: '), text
    assert text.endswith('\n'), text
    assert text.count('\n') == 1, text
    # No word that only Python knows.
    for word in ('Error(', 'object at 0x', 'NoneType', " b'"):
        assert word not in text, text
    return text[len('dxf: ') : -1]
