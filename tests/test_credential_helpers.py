"""Credential helpers: programs that answer, and programs that don't."""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dxf import credential_helpers
from dxf.credential_helpers import HELPER_SECONDS, ask
from dxf.exceptions import DXFCredentialsError

from .support.commandline import environment
from .support.logins import Person

SERVER = 'registry.example:5000'
SECRET = 'hunter2-geheim'

# Far more than a helper of these tests takes.
SECONDS = 30

NOT_FOUND = 'credentials not found in native keychain'


@pytest.fixture
def person(tmp_path):
    return Person(tmp_path)


def asked(person, code, seconds=SECONDS, **kwargs):
    """What a helper answers that is this program."""
    person.program('docker-credential-x', code, **kwargs)
    return ask('x', SERVER, person.environ, seconds)


def failure(person, code=None, seconds=SECONDS, **kwargs):
    """What is wrong with a helper that is this program; without one, that is there already."""
    with pytest.raises(DXFCredentialsError) as e:
        if code is None:
            ask('x', SERVER, person.environ, seconds)
        else:
            asked(person, code, seconds, **kwargs)
    shown = ''.join(traceback.format_exception(type(e.value), e.value, e.value.__traceback__))
    for text in (str(e.value), repr(e.value), shown):
        assert SECRET not in text
    assert e.value.__cause__ is None
    assert e.value.__context__ is None
    assert e.value.source == 'docker-credential-x'
    assert '\n' not in str(e.value)
    return e.value.problem


def prints(text, status=0):
    """A program that does."""
    return f'import sys; sys.stdin.read(); sys.stdout.write({text!r}); sys.exit({status})'


def answer(**fields):
    return json.dumps(fields)


def test_one_that_works(person):
    person.helper('x', [SERVER], 'fred', SECRET)
    assert ask('x', SERVER, person.environ, SECONDS) == ('fred', SECRET)
    assert person.asked('x') == [f'get {SERVER}']


def test_one_that_is_a_shell_script(person):
    code = 'printf \'{"ServerURL":"x","Username":"fred","Secret":"%s"}\' "' + SECRET + '"'
    assert asked(person, code, shebang='#!/bin/sh') == ('fred', SECRET)


@pytest.mark.parametrize('name', ['desktop.exe', 'osx-keychain', 'a_b', 'ECR', '..', '-x'])
def test_names(person, name):
    person.helper(name, [SERVER], 'fred', SECRET)
    assert ask(name, SERVER, person.environ, SECONDS) == ('fred', SECRET)


@pytest.mark.parametrize(
    ('username', 'secret'),
    [('<token>', SECRET), ('jürgen', 'пароль€'), ('a:b', ':\n"\\'), ('', SECRET)],
)
def test_what_it_says_is_handed_on_as_it_is(person, username, secret):
    text = answer(ServerURL=SERVER, Username=username, Secret=secret)
    assert asked(person, prints(text + '\n')) == (username, secret)


@pytest.mark.parametrize('text', [NOT_FOUND, NOT_FOUND + '\n', f'error: {NOT_FOUND}\r\n'])
@pytest.mark.parametrize('status', [1, 2])
def test_one_that_knows_nothing_of_this_server(person, text, status):
    assert asked(person, prints(text, status)) is None


def test_one_that_says_so_as_a_complaint(person):
    code = f'import sys; print({NOT_FOUND!r}, file=sys.stderr); sys.exit(1)'
    assert asked(person, code) is None


def test_one_without_a_secret_knows_nothing(person):
    assert asked(person, prints(answer(ServerURL='', Username='', Secret=''))) is None


def test_one_that_is_missing(person):
    assert failure(person) == 'there is no such program on the PATH'


def test_one_that_may_not_be_run(person):
    person.program('docker-credential-x', 'x')
    os.chmod(person.programs / 'docker-credential-x', 0o600)
    assert failure(person) == 'there is no such program on the PATH'


def test_one_that_is_no_program(person):
    assert failure(person, 'x', shebang='\0').startswith("it can't be run (")


def test_one_whose_interpreter_is_missing(person):
    assert failure(person, '', shebang='#!/nonexistent').startswith("it can't be run (")


def test_one_that_does_not_read_what_it_is_asked(person):
    code = f'import os; os.close(0); print({answer(Username="fred", Secret=SECRET)!r})'
    assert asked(person, code) == ('fred', SECRET)


# --- Rubbish ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    'text',
    [
        '',
        '\n',
        SECRET,
        '{"Username": "fred", "Secret": "' + SECRET,
        answer(Username='fred', Secret=SECRET) + SECRET,
        json.dumps(SECRET),
        json.dumps([SECRET]),
        'null',
        '{}',
        answer(Secret=SECRET),
        answer(Username='fred', Password=SECRET),
        answer(Username='fred', Secret=[SECRET]),
        answer(Username=None, Secret=SECRET),
        answer(Username='fred', Secret=SECRET + '\ud800'),
        '[' * 100000,
        '<html>' + SECRET,
    ],
    ids=range(16),
)
def test_one_that_prints_rubbish(person, text):
    assert failure(person, prints(text)) == 'its answer is not JSON with Username and Secret'


def test_one_that_prints_what_is_no_text(person):
    code = f'import sys; sys.stdout.buffer.write(b"\\xff{SECRET}")'
    assert failure(person, code) == 'its answer is not JSON with Username and Secret'


@pytest.mark.parametrize('output', ['sys.stdout', 'sys.stderr'])
def test_one_that_prints_rubbish_without_end(person, output):
    code = f'import sys\nwhile True: {output}.write({SECRET!r} * 1000)'
    began = time.monotonic()
    assert failure(person, code, seconds=60) == 'it writes without end'
    assert time.monotonic() - began < 30


def test_one_that_talks_much_beside_its_answer(person):
    text = answer(Username='fred', Secret=SECRET)
    code = f'import sys; sys.stderr.write("warning\\n" * 20000); print({text!r})'
    assert asked(person, code) == ('fred', SECRET)


@given(answered=st.one_of(st.binary(), st.recursive(
    st.one_of(st.none(), st.integers(), st.floats(), st.text()),
    lambda inner: st.dictionaries(
        st.one_of(st.sampled_from(['Username', 'Secret']), st.text()), inner),
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
@example(answered=b'1' * 5000)
@example(answered=b'{"Username": "", "Secret": "\\ud800"}')
def test_any_answer(answered):
    """Without the program."""
    try:
        known = credential_helpers._known('docker-credential-x', answered)
    except DXFCredentialsError as error:
        assert error.__context__ is None
        return
    if known is not None:
        username, secret = known
        assert username.encode() is not None
        assert secret.encode()


# --- Failures ---------------------------------------------------------------------------


@pytest.mark.parametrize('status', [1, 3])
def test_one_that_fails(person, status):
    """Docker's own print the reason where the answer would be: that is not shown."""
    problem = failure(person, prints(f'no luck with {SECRET}', status))
    assert problem == f'it failed with exit status {status}'


def test_one_that_fails_with_an_answer_has_failed(person):
    text = answer(Username='fred', Secret=SECRET)
    assert failure(person, prints(text, 1)) == 'it failed with exit status 1'


def test_one_that_is_killed(person):
    code = 'import os; os.kill(os.getpid(), 9)'
    assert failure(person, code) == 'it failed with exit status -9'


@pytest.mark.parametrize(
    ('complaint', 'shown'),
    [
        ('gpg: no key\n', ': gpg: no key'),
        ('\n\n  gpg: no key\r\nand more\n', ': gpg: no key'),
        ('\x1b[31mred\x07\x1b[0m', ': [31mred[0m'),
        ('x' * 1000, ': ' + 'x' * 200),
        ('\n', ''),
        ('\x07', ''),
    ],
    ids=range(6),
)
def test_the_first_line_of_its_complaint_is_shown(person, complaint, shown):
    code = f'import sys; print({SECRET!r}); sys.stderr.write({complaint!r}); sys.exit(1)'
    assert failure(person, code) == 'it failed with exit status 1' + shown


def test_a_complaint_that_is_no_text(person):
    code = 'import sys; sys.stderr.buffer.write(b"\\xff!"); sys.exit(1)'
    assert failure(person, code) == 'it failed with exit status 1: \ufffd!'


# --- Time-outs --------------------------------------------------------------------------

# Once it has been asked, it leaves the number of what it has started, which holds the helper's
# outputs open.
STARTS_ANOTHER = """
read -r server
sleep 600 {redirected} &
echo $! >'{numbers}.part'
mv '{numbers}.part' '{numbers}'
{then}
"""


@pytest.fixture
def numbers(person):
    """The file that the number is left in."""
    return person.folder / 'numbers'


def starts_another(person, numbers, then, redirected=''):
    person.program(
        'docker-credential-x',
        STARTS_ANOTHER.format(numbers=numbers, then=then, redirected=redirected),
        shebang='#!/bin/sh',
    )


def is_there(pid):
    """Whether a process runs; one that has ended and that nobody waits for does not."""
    try:
        os.kill(pid, 0)
        state = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        # It has just ended, or this is no Linux.
        return not Path('/proc/self').exists()
    return state != 'Z'


def gone(path, seconds=10):
    """Whether the process whose number stands in a file ends."""
    deadline = time.monotonic() + seconds
    pid = int(path.read_text())
    while is_there(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return False
        time.sleep(0.02)
    return True


def test_there_is_a_limit():
    assert HELPER_SECONDS == 30


@pytest.mark.parametrize(
    'code',
    [
        'import time; time.sleep(60)',
        'import os, time; os.close(1); os.close(2); time.sleep(60)',
        f'import time; print({SECRET!r}, flush=True); time.sleep(60)',
        'import os, signal, time; signal.signal(15, signal.SIG_IGN); os.close(1); time.sleep(60)',
    ],
    ids=['silent', 'closed', 'partly', 'stubborn'],
)
def test_one_that_hangs(person, code):
    began = time.monotonic()
    assert failure(person, code, seconds=0.5) == 'it did not answer within 0.5 s'
    assert 0.4 < time.monotonic() - began < 20


@pytest.mark.skipif(os.name != 'posix', reason='there are no process groups')
@pytest.mark.parametrize('then', ['wait', 'exit'])
def test_what_it_has_started_is_ended_with_it(person, numbers, then):
    """Even if that alone still hangs."""
    starts_another(person, numbers, then)
    assert failure(person, seconds=2) == 'it did not answer within 2 s'
    assert gone(numbers)


@pytest.mark.skipif(os.name != 'posix', reason='there are no process groups')
def test_what_it_leaves_running_after_its_answer_is_left(person, numbers):
    """Such as an agent that keeps a key."""
    text = answer(Username='fred', Secret=SECRET)
    starts_another(person, numbers, f"echo '{text}'", redirected='>/dev/null 2>&1')
    assert ask('x', SERVER, person.environ, SECONDS) == ('fred', SECRET)
    pid = int(numbers.read_text())
    assert is_there(pid)
    os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(os.name != 'posix', reason='there are no process groups')
def test_it_is_ended_when_the_user_does_not_want_to_wait(person, numbers):
    starts_another(person, numbers, 'wait')
    code = (
        'import json, sys; from dxf.credential_helpers import ask\n'
        f'ask("x", {SERVER!r}, json.loads(sys.argv[1]), 600)'
    )
    with subprocess.Popen(
        [sys.executable, '-c', code, json.dumps(person.environ)], env=environment({}),
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 20
        while not numbers.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=20)
    assert b'KeyboardInterrupt' in complaint
    assert gone(numbers)


# --- How it is run ----------------------------------------------------------------------

# It says how it was started, and with which variables.
TELLS = """
import json, os, sys
told = json.dumps({'argv': sys.argv[1:], 'server': sys.stdin.read(), 'environ': dict(os.environ)})
print(json.dumps({'Username': 'fred', 'Secret': told}))
"""


def told(person, server=SERVER, **environ):
    person.program('docker-credential-x', TELLS)
    _, secret = ask('x', server, {**person.environ, **environ}, SECONDS)
    return json.loads(secret)


def test_it_is_given_the_server_and_nothing_else(person):
    found = told(person, '$(touch x); `touch y` "\'ü')
    assert found['argv'] == ['get']
    assert found['server'] == '$(touch x); `touch y` "\'ü'


def test_a_server_whose_name_is_no_text(person):
    assert told(person, 'a\ud800')['server'] == 'a?'


def test_it_is_given_the_variables_of_the_mapping_alone(person, monkeypatch):
    monkeypatch.setenv('OF_THE_PROCESS', 'x')
    environ = told(person, OF_THE_MAPPING='ü y', NUMBER=5, NUL='a\0b')['environ']
    assert environ['OF_THE_MAPPING'] == 'ü y'
    assert environ['HOME'] == person.environ['HOME']
    assert not {'OF_THE_PROCESS', 'NUMBER', 'NUL'} & set(environ)


@pytest.mark.parametrize('path', ['', None])
def test_without_a_path_the_process_s_own_is_searched(person, monkeypatch, path):
    person.helper('x', [SERVER], 'fred', SECRET)
    monkeypatch.setenv('PATH', person.environ['PATH'])
    person.environ['PATH'] = path
    assert ask('x', SERVER, person.environ, SECONDS) == ('fred', SECRET)
    del person.environ['PATH']
    assert ask('x', SERVER, person.environ, SECONDS) == ('fred', SECRET)
    assert told(person)['environ']['PATH'] == os.environ['PATH']


def test_the_mapping_s_path_is_the_only_one(person, monkeypatch):
    person.helper('x', [SERVER], 'fred', SECRET)
    monkeypatch.setenv('PATH', person.environ['PATH'])
    person.environ['PATH'] = '/nowhere'
    assert failure(person) == 'there is no such program on the PATH'


@pytest.mark.parametrize('path', ['.', 'bin', os.pathsep, f'.{os.pathsep}bin', 'x' + os.pathsep])
def test_what_lies_where_the_user_is_is_not_run(person, monkeypatch, path):
    person.helper('x', [SERVER], 'fred', SECRET)
    for folder in (person.programs, person.folder):
        monkeypatch.chdir(folder)
        person.environ['PATH'] = path
        assert failure(person) == 'there is no such program on the PATH'


def test_what_lies_where_the_user_is_does_not_hide_the_one_on_the_path(person, monkeypatch):
    person.helper('x', [SERVER], 'fred', SECRET)
    here = Person(person.folder / 'here')
    here.helper('x', [SERVER], 'mallory', 'x')
    monkeypatch.chdir(here.programs)
    person.environ['PATH'] = f'.{os.pathsep}{os.pathsep}{person.environ["PATH"]}'
    assert ask('x', SERVER, person.environ, SECONDS) == ('fred', SECRET)
    assert here.asked('x') == []


def test_nothing_slow_is_loaded_before_it_is_needed():
    code = 'import sys, requests; before = set(sys.modules); import dxf.credentials; ' \
        'print(*set(sys.modules) - before)'  # fmt: skip
    done = subprocess.run(
        [sys.executable, '-c', code], env=environment({}), stdout=subprocess.PIPE, text=True,
        check=True,
    )  # fmt: skip
    assert all(name.startswith('dxf') for name in done.stdout.split())
