"""Layouts that several processes and threads use at once, and processes that are killed."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from dxf.layout import BASE_URL

from .support.flavours import coverage_environ
from .support.layouts import LayoutFlavour, Tool, check_layout, names, read_index
from .support.plain import sha256

TOP = Path(__file__).resolve().parents[1]
PROCESSES = 4
TAGS_EACH = 10
KILLS = 12

# Each says when it is ready and begins when it is told to.
START = """
    import hashlib, json, os, sys
    import dxf

    folder, repo, number, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    client = dxf.DXF('oci:' + folder, repo)
    print('ready', flush=True)
    sys.stdin.readline()
"""


class Process:
    """A Python process that runs some lines after those of START."""

    def __init__(self, lines, *args):
        code = textwrap.dedent(START) + textwrap.dedent(lines)
        self._process = subprocess.Popen(
            [sys.executable, '-c', code, *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=TOP,
            env={**coverage_environ(), 'PATH': os.environ.get('PATH', '')},
        )
        assert self._process.stdout.readline() == b'ready\n', self._process.communicate()

    def go(self):
        self._process.stdin.write(b'go\n')
        self._process.stdin.flush()

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        return self._process.communicate()[0].decode()

    def end(self):
        out, err = self._process.communicate(timeout=120)
        assert self._process.returncode == 0, err.decode()
        return out.decode()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'layouts'


@pytest.fixture
def flavour(folder):
    return LayoutFlavour(folder)


def together(processes):
    for process in processes:
        process.go()
    return [process.end() for process in processes]


def nothing_is_left(layout):
    assert list((layout / '.dxf' / 'uploads').iterdir()) == []


def test_pushing_and_tagging_at_once(flavour, folder):
    lines = """
        for i in range(count):
            name = 't{}-{}'.format(number, i)
            client.set_alias(name, client.push_blob(data=name.encode()),
                             client.push_blob(data=b'shared by all', check_exists=False))
    """
    together([Process(lines, folder, 'a', n, TAGS_EACH) for n in range(PROCESSES)])
    every = sorted(f't{n}-{i}' for n in range(PROCESSES) for i in range(TAGS_EACH))
    client = flavour.client('a')
    assert client.list_aliases() == every
    for name in every:
        assert client.get_alias(name) == [sha256(name.encode()), sha256(b'shared by all')]
    check_layout(folder / 'a')
    nothing_is_left(folder / 'a')


def test_one_tag_set_by_all(flavour, folder):
    lines = """
        for i in range(count):
            client.set_alias('latest', client.push_blob(data='{} {}'.format(number, i).encode()))
    """
    together([Process(lines, folder, 'a', n, TAGS_EACH) for n in range(PROCESSES)])
    assert list(names(folder / 'a')) == ['latest']
    # What has lost the tag is listed all the same.
    assert len(read_index(folder / 'a')['manifests']) == PROCESSES * TAGS_EACH
    assert len(flavour.client('a').get_alias('latest')) == 1
    check_layout(folder / 'a')


def test_deleting_while_others_set(flavour, folder):
    lines = """
        for i in range(count):
            name = 't{}-{}'.format(number, i)
            client.set_alias(name, client.push_blob(data=name.encode()))
            client.set_alias('keep-' + name, client.push_blob(data=b'keep ' + name.encode()))
            client.del_alias(name)
    """
    together([Process(lines, folder, 'a', n, TAGS_EACH) for n in range(PROCESSES)])
    every = sorted(f'keep-t{n}-{i}' for n in range(PROCESSES) for i in range(TAGS_EACH))
    assert flavour.client('a').list_aliases() == every
    assert len(read_index(folder / 'a')['manifests']) == len(every)
    check_layout(folder / 'a')


def test_reading_while_others_write(flavour, folder):
    client = flavour.client('a')
    client.set_alias('latest', client.push_blob(data=b'first'))
    lines = """
        for i in range(count):
            client.set_alias('latest', client.push_blob(data='{} {}'.format(number, i).encode()))
    """
    processes = [Process(lines, folder, 'a', n, 30) for n in range(2)]
    for process in processes:
        process.go()
    while any(process._process.poll() is None for process in processes):
        assert client.list_aliases() == ['latest']
        assert len(client.get_alias('latest')) == 1
    for process in processes:
        process.end()


def test_threads(flavour, folder):
    client = flavour.client('a')

    def push(number):
        name = f't{number}'
        client.set_alias(name, client.push_blob(data=name.encode()))
        return name

    with ThreadPoolExecutor(8) as pool:
        every = list(pool.map(push, range(60)))
    assert client.list_aliases() == sorted(every)
    check_layout(folder / 'a')


def test_two_that_finish_one_upload(flavour, folder):
    """One of them makes the blob; the other is told that there is no such upload."""
    http = flavour.session(requests.Session())
    content = os.urandom(300_000)
    for _ in range(10):
        location = http.post(BASE_URL + 'v2/a/blobs/uploads/').headers['Location']
        url = f'{BASE_URL[:-1]}{location}?digest={sha256(content)}'
        answers = []

        def put(url=url, answers=answers):
            pieces = (content[i : i + 10_000] for i in range(0, len(content), 10_000))
            with flavour.session(requests.Session()) as session:
                answers.append(session.put(url, data=pieces).status_code)

        threads = [threading.Thread(target=put) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [201, 404, 404, 404]
        check_layout_blobs(folder / 'a', content)


def check_layout_blobs(layout, content):
    path = layout / 'blobs' / 'sha256' / sha256(content)[7:]
    assert path.read_bytes() == content
    path.unlink()


def test_two_that_append_to_one_upload(flavour):
    http = flavour.session(requests.Session())
    location = BASE_URL[:-1] + http.post(BASE_URL + 'v2/a/blobs/uploads/').headers['Location']
    statuses = []

    def patch():
        with flavour.session(requests.Session()) as session:
            answer = session.patch(location, data=b'some', headers={'Content-Range': '0-3'})
            statuses.append(answer.status_code)

    threads = [threading.Thread(target=patch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [202] + [416] * 7
    assert http.get(location).headers['Range'] == '0-3'


# Killed

# An image that skopeo takes for one; its tag is printed when it is there.
PUSHING = """
    def descriptor(content, media_type):
        return {'mediaType': media_type, 'size': len(content),
                'digest': client.push_blob(data=content)}

    for i in range(10000):
        layers = [os.urandom(size) for size in (10, 300000, 1500000)]
        config = json.dumps({
            'architecture': 'amd64', 'os': 'linux', 'config': {},
            'rootfs': {'type': 'layers', 'diff_ids': [
                'sha256:' + hashlib.sha256(layer).hexdigest() for layer in layers]},
        }).encode()
        text = json.dumps({
            'schemaVersion': 2,
            'mediaType': 'application/vnd.oci.image.manifest.v1+json',
            'config': descriptor(config, 'application/vnd.oci.image.config.v1+json'),
            'layers': [descriptor(layer, 'application/vnd.oci.image.layer.v1.tar')
                       for layer in layers],
        })
        name = 't{}-{}'.format(number, i)
        client.set_manifest(name, text)
        print(name, flush=True)
        if i % 3 == 2:
            client.del_alias(name)
            print('-' + name, flush=True)
"""


def test_killed_while_it_pushes(flavour, folder, tmp_path, skopeo):
    copy = Tool(skopeo, '--insecure-policy', 'copy', '--preserve-digests')
    client, layout = flavour.client('a'), folder / 'a'
    (tmp_path / 'copies').mkdir()
    expected, undecided = set(), set()
    for number in range(KILLS):
        process = Process(PUSHING, folder, 'a', number, 0)
        process.go()
        # At first before anything can be there.
        time.sleep(random.Random(number).uniform(0, 0.02 if number < 4 else 0.4))
        said = process.kill().split()
        expected |= {name for name in said if not name.startswith('-')}
        expected -= {name[1:] for name in said if name.startswith('-')}
        # What was under way when it was killed may have been done.
        last = len([name for name in said if not name.startswith('-')])
        undecided |= {f't{number}-{last}', f't{number}-{last - 1}'}
        if not (layout / 'oci-layout').exists():
            assert client.list_repos() == []
            continue
        check_layout(layout)
        found = set(client.list_aliases())
        assert expected - undecided <= found <= expected | undecided
        if found:
            name = random.Random(number).choice(sorted(found))
            copy(f'oci:{layout}:{name}', f'oci:{tmp_path}/copies/{number}:{name}')
            assert names(tmp_path / 'copies' / str(number))[name] == names(layout)[name]
    assert expected
    # And it can be gone on with.
    client.set_alias('last', client.push_blob(data=b'last'))
    assert 'last' in client.list_aliases()


# What changes a folder, each step of it.
STEPS = ('rename', 'replace', 'fsync', 'link', 'unlink', 'makedirs')


def die_at(number):
    """End this process, as by SIGKILL, before the number-th step."""
    left = [number]

    def dying(function):
        def call(*args, **kwargs):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    for name in STEPS:
        setattr(os, name, dying(getattr(os, name)))


def in_a_child(function):
    """Call it in a copy of this process; tell whether that came to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            function()
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    assert status in (0, signal.SIGKILL)
    return status == 0


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
@pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')
@pytest.mark.parametrize('old', [False, True], ids=['new', 'old'])
def test_killed_between_any_two_steps(tmp_path, monkeypatch, old):
    # It is for when the machine dies, and slow.
    monkeypatch.setattr(os, 'fsync', lambda descriptor: None)
    number, done = 0, False
    while not done:
        number += 1
        folder = tmp_path / str(number)
        layout = folder / 'a'
        client = LayoutFlavour(folder).client('a')
        if old:
            client.set_alias('latest', client.push_blob(data=b'old'))

        def child(client=client, number=number):
            die_at(number)
            client.set_alias('new', client.push_blob(data=b'new'))
            client.set_alias('latest', client.push_blob(data=b'newer'))
            client.del_alias('new')

        done = in_a_child(child)
        found = []
        if (layout / 'oci-layout').exists():
            check_layout(layout)
            found = client.list_aliases()
            assert set(found) <= {'new', 'latest'}
            assert not old or 'latest' in found
            for name in found:
                assert len(client.get_alias(name)) == 1
        else:
            assert client.list_repos() == []
        # Whatever is there, it can be gone on with.
        client.set_alias('after', client.push_blob(data=b'after'))
        assert client.get_alias('after') == [sha256(b'after')]
        assert client.list_aliases() == sorted([*found, 'after'])
    assert number > 30
