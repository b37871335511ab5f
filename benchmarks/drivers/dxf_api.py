"""What programs do with dxf, or with python-dxf: `dxf_api.py OPERATION TASK`, a JSON file.

Run by the Python of the environment that either is installed in.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from dxf import DXF

THREADS = 8


def connect(task):
    return DXF(task['host'], task['repo'], insecure=task['insecure'], tlsverify=task['tlsverify'])


def push_unchecked(task):
    with connect(task) as dxf:
        dxf.push_blob(task['filenames'][0], check_exists=False)


def push_one_by_one(task):
    with connect(task) as dxf:
        for filename in task['filenames']:
            dxf.push_blob(filename)


def push_side_by_side(task):
    with connect(task) as dxf:
        needed(dxf, 'push_blobs')(task['filenames'])


def push_in_threads(task):
    in_threads(task, task['filenames'], lambda dxf, filename: dxf.push_blob(filename))


def pull_one_by_one(task):
    with connect(task) as dxf:
        for digest in task['digests']:
            write(dxf.pull_blob(digest))


def pull_side_by_side(task):
    with connect(task) as dxf:
        for _, chunks in needed(dxf, 'pull_blobs')(task['digests']):
            write(chunks)


def pull_in_threads(task):
    def pull(dxf, digest):
        return b''.join(dxf.pull_blob(digest))

    write(in_threads(task, task['digests'], pull))


def alias_one_by_one(task):
    with connect(task) as dxf:
        digests = [dxf.push_blob(filename) for filename in task['filenames']]
        dxf.set_alias(task['alias'], *digests)


def alias_side_by_side(task):
    with connect(task) as dxf:
        dxf.set_alias(task['alias'], *needed(dxf, 'push_blobs')(task['filenames']))


def in_threads(task, items, function):
    """What a program can do for itself: a connection and a client for each thread."""
    own = threading.local()

    def call(item):
        if not hasattr(own, 'dxf'):
            own.dxf = connect(task).__enter__()
        return function(own.dxf, item)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, items))


def needed(dxf, name):
    """A method that not every version has."""
    if not hasattr(dxf, name):
        sys.exit(f'this version has no {name}')
    return getattr(dxf, name)


def write(chunks):
    for chunk in chunks:
        sys.stdout.buffer.write(chunk)


if __name__ == '__main__':
    with open(sys.argv[2], encoding='utf-8') as file:
        globals()[sys.argv[1]](json.load(file))
