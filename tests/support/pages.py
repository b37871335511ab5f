"""The documentation's examples, run in the order in which a page shows them.

Blocks marked `console` are one session in a shell: a line that begins with `$ ` is a
command, those that begin with `> ` go on with it, and what follows is what it prints.
Blocks marked `python` are programs, run in the midst of that session; the block after
"It prints" is what one prints. `...` stands for anything. Other blocks don't run.
"""

import re
import textwrap
from typing import NamedTuple

_BLOCK = re.compile(
    r'^\.\. code-block:: (?P<language>\w+)\n(?:   :.*\n)*\n(?P<text>(?:   .*\n|\n)+)'
    r'(?P<more>It prints::\n\n(?P<printed>(?:   .*\n|\n)+))?',
    re.MULTILINE,
)

# Printed after each example, so that one's output can be told from another's.
_END = '--- end of an example ---'


class Example(NamedTuple):
    """What is typed, and what it prints."""

    typed: str
    printed: str


def examples(text):
    """All of a page, in order."""
    for block in _BLOCK.finditer(text):
        content = _dedented(block['text'])
        if block['language'] == 'console':
            yield from _session(content)
        elif block['language'] == 'python':
            printed = _dedented(block['printed']) if block['printed'] else ''
            yield Example(f"python - <<'END OF PROGRAM'\n{content}END OF PROGRAM\n", printed)


def blocks(text, language):
    """The code blocks in a language."""
    found = (block for block in _BLOCK.finditer(text) if block['language'] == language)
    return [_dedented(block['text']) for block in found]


def _dedented(text):
    return textwrap.dedent(text).strip('\n') + '\n'


def _session(text):
    typed = printed = ''
    for line in text.splitlines(keepends=True):
        if line.startswith('$ '):
            if typed:
                yield Example(typed, printed)
            typed, printed = line[2:], ''
        elif re.match('> |>$', line) and typed and not printed:
            typed += line[2:] or '\n'
        else:
            printed += line
    yield Example(typed, printed)


def script(found):
    """What a shell is to run."""
    return ''.join(f"{example.typed.rstrip()}\necho '{_END}'\n" for example in found)


def compare(found, output):
    """See that each has printed what the page says."""
    printed = output.split(f'{_END}\n')
    for example, got in zip(found, printed):
        pattern = '.*'.join(map(re.escape, example.printed.split('...')))
        assert re.fullmatch(pattern, got, re.DOTALL), (
            f'{example.typed}printed\n{got}and not\n{example.printed}'
        )
    assert len(printed) == len(found) + 1, 'the last of them ended the session'
    assert printed[-1] == ''
