"""A folder of image layouts as a registry among the others, and layouts made by hand."""

import json
import subprocess
from types import SimpleNamespace

import dxf
from dxf.layout import BASE_URL, LayoutAdapter

from . import tools
from .client import OCI_INDEX, OCI_MANIFEST
from .flavours import Flavour
from .plain import PlainClient, descriptor, sha256

REF_NAME = 'org.opencontainers.image.ref.name'

# For one command of another program.
TOOL_SECONDS = 120


class LayoutFlavour(Flavour):
    """The layouts of a folder, where tests think of a registry."""

    def __init__(self, folder):
        place = SimpleNamespace(host=f'oci:{folder}', url=BASE_URL.rstrip('/'))
        super().__init__('layout', place)
        self.folder = folder

    def session(self, session):
        """The session given, with the folder mounted."""
        session.mount(BASE_URL, LayoutAdapter(self.folder))
        return session

    def client(self, repo):
        """A DXF for a repository in it."""
        return dxf.DXF(self.host, repo)

    def plain(self, repo):
        """A client for it that is not dxf."""
        return LayoutPlain(self, repo)


class LayoutPlain(PlainClient):
    """A PlainClient whose requests a folder answers."""

    def __init__(self, flavour, repo, anonymous=False):
        super().__init__(flavour, repo, anonymous)
        flavour.session(self._session)


def read_index(layout):
    """What a layout's index.json says."""
    return json.loads((layout / 'index.json').read_text(encoding='utf-8'))


def names(layout):
    """The names in a layout's index.json -> digest."""
    return {
        entry['annotations'][REF_NAME]: entry['digest']
        for entry in read_index(layout)['manifests']
        if REF_NAME in entry.get('annotations', {})
    }


def write_blob(layout, content):
    """Put content where its digest says, as anybody may."""
    algorithm, _, encoded = sha256(content).partition(':')
    path = layout / 'blobs' / algorithm / encoded
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return sha256(content)


def listed(layout, text, name=None, media_type=OCI_MANIFEST, **fields):
    """An entry for a manifest, which is stored."""
    content = text.encode()
    write_blob(layout, content)
    made = {**descriptor(content, media_type), **fields}
    if name is not None:
        made['annotations'] = {**made.get('annotations', {}), REF_NAME: name}
    return made


def write_layout(layout, *entries, **fields):
    """Make a folder a layout that lists these, or whose index.json says `fields`."""
    layout.mkdir(parents=True, exist_ok=True)
    (layout / 'oci-layout').write_text('{"imageLayoutVersion": "1.0.0"}')
    index = {'schemaVersion': 2, 'mediaType': OCI_INDEX, 'manifests': list(entries), **fields}
    (layout / 'index.json').write_text(json.dumps(index))


def files(folder):
    """Everything below a folder: name -> content, or None for a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob('*')
    }


def check_layout(layout):
    """Fail unless a layout is as the specification wants it, blobs and all."""
    assert json.loads((layout / 'oci-layout').read_text()) == {'imageLayoutVersion': '1.0.0'}
    index = read_index(layout)
    assert index['schemaVersion'] == 2
    for path in layout.glob('blobs/*/*'):
        assert sha256(path.read_bytes()) == f'{path.parent.name}:{path.name}'
    todo = list(index['manifests'])
    while todo:
        entry = todo.pop()
        algorithm, _, encoded = entry['digest'].partition(':')
        content = (layout / 'blobs' / algorithm / encoded).read_bytes()
        assert len(content) == entry['size']
        document = (
            json.loads(content)
            if 'manifest' in entry['mediaType'] or ('index' in entry['mediaType'])
            else {}
        )
        todo.extend(document.get('manifests', []))
        todo.extend(document.get('layers', []))
        todo.extend(filter(None, [document.get('config')]))


class Tool:
    """A program that reads and writes layouts; `words` go before each command's."""

    def __init__(self, path, *words):
        self._words = [path, *words]

    def __call__(self, *words, check=True):
        done = subprocess.run(
            [*self._words, *map(str, words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TOOL_SECONDS,
            env=tools.ENVIRON,
        )
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout
