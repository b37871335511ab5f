"""dxf and the programs that others wrote: what each writes in its own way, and how it reads.

Each writes into a registry and into a layout, and reads all that belongs to an alias from
there. What it should have found is looked up without any of them.
"""

import io
import json
import subprocess
import tarfile

import dxf

from . import copiers, tools
from .client import OCI_INDEX, OCI_MANIFEST, index
from .copiers import COPIERS
from .layouts import TOOL_SECONDS, LayoutFlavour, LayoutPlain, listed, write_blob, write_layout
from .plain import PlainClient

FILES = {'one.txt': b'one\n', 'two.bin': bytes(range(256))}
#: The alias of what is written.
TAG = 'v1'


class Refused(Exception):
    """A program ended with an error: what it said."""


class Registry:
    """A repository of a registry."""

    def __init__(self, flavour):
        self.flavour = flavour
        self.host = flavour.host
        self.repo = flavour.new_repo('neighbours')
        self.reference = f'{self.host}/{self.repo}'

    def plain(self):
        return PlainClient(self.flavour, self.repo)

    def client(self):
        return dxf.DXF(self.host, self.repo, insecure=True)


class Layout:
    """An image layout."""

    def __init__(self, folder):
        self.path = folder / 'a'
        self.flavour = LayoutFlavour(folder)
        folder.mkdir(exist_ok=True)

    def plain(self):
        return LayoutPlain(self.flavour, 'a')

    def client(self):
        return self.flavour.client('a')


def whole(manifest, blob, reference):
    """All that belongs to a manifest, from its digest to its content; the manifest's first.

    :param manifest: gives a manifest's bytes by reference
    :param blob: gives a blob's bytes by digest
    """
    text = manifest(reference)
    found, todo = {'': text}, [json.loads(text)]
    while todo:
        document = todo.pop()
        for entry in document.get('manifests', []):
            found[entry['digest']] = manifest(entry['digest'])
            todo.append(json.loads(found[entry['digest']]))
        for entry in [*document.get('layers', []), document.get('config')]:
            if entry:
                found[entry['digest']] = blob(entry['digest'])
    return found


def truth(place):
    """What is in a place, seen without any of them."""
    with place.plain() as plain:

        def manifest(reference):
            answer = plain.get_manifest(reference)
            answer.raise_for_status()
            return answer.content

        return whole(manifest, lambda digest: plain.get_blob(digest).content, TAG)


class Program:
    """One that somebody else wrote."""

    def __init__(self, name, request, folder):
        self.copier = COPIERS[name](request)
        self.path = self.copier._words[0]
        self._request = request
        self._folder = folder

    def run(self, *words, cwd=None):
        done = subprocess.run(
            [self.path, *map(str, words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TOOL_SECONDS,
            env={**tools.ENVIRON, 'HOME': str(self._folder)},
            cwd=str(cwd or self._folder),
        )
        if done.returncode:
            raise Refused(done.stderr.decode(errors='replace').strip())

    def read(self, place, there):
        """All of it: what the program copies from here to a place of the other kind."""
        try:
            if isinstance(place, Registry):
                self.copier.pull(place, place.repo, TAG, there.path)
            else:
                self.copier.push(place.path, TAG, there, there.repo)
        except AssertionError as error:
            raise Refused(str(error)) from error
        return truth(there)

    def files(self, place, folder):
        """The files by their names, where it can tell; else None."""
        return


class Skopeo(Program):
    def write_image(self, place):
        self._write(place, copiers.image('linux/amd64'))

    def write_index(self, place):
        self._write(place, *(copiers.image(f'linux/{name}', 1) for name in ('amd64', 's390x')))

    def _write(self, place, *images):
        """It makes nothing of its own: what it copies is a layout made by hand."""
        source = self._folder / 'made'
        for image in images:
            for content in (image.config, *image.layers, image.text.encode()):
                write_blob(source, content)
        text, kind = images[0].text, OCI_MANIFEST
        if len(images) > 1:
            text, kind = index(*(image.entry() for image in images)), OCI_INDEX
        write_layout(source, listed(source, text, TAG, kind))
        if isinstance(place, Registry):
            self.copier.push(source, TAG, place, place.repo)
        else:
            self.copier.copy(source, TAG, place.path)


class Crane(Program):
    """It makes no layouts but by pulling from a registry."""

    def _make(self, place, make):
        if isinstance(place, Registry):
            return make(place)
        registry = Registry(self._request.getfixturevalue('registry_http'))
        make(registry)
        return self.copier.pull(registry, registry.repo, TAG, place.path)

    def _append(self, registry, tag, content):
        layer = self._folder / f'{tag}.tar'
        with tarfile.open(layer, 'w') as tar:
            info = tarfile.TarInfo('file')
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        self.run(
            'append', '--insecure', '--oci-empty-base', '-f', layer,
            '-t', f'{registry.reference}:{tag}',
        )  # fmt: skip

    def write_image(self, place):
        self._make(place, lambda registry: self._append(registry, TAG, b'content'))

    def write_index(self, place):
        def make(registry):
            for tag in ('one', 'two'):
                self._append(registry, tag, tag.encode())
            self.run(
                'index', 'append', '--insecure',
                '-m', f'{registry.reference}:one', '-m', f'{registry.reference}:two',
                '-t', f'{registry.reference}:{TAG}',
            )  # fmt: skip

        self._make(place, make)


def _write_files(folder):
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return list(FILES)


class Oras(Program):
    def _place(self, place):
        if isinstance(place, Registry):
            return '--plain-http', place.reference
        return '--oci-layout', str(place.path)

    def write_artifact(self, place, tag=TAG, kind='text/x-test'):
        option, reference = self._place(place)
        names = _write_files(self._folder)
        self.run('push', option, '--artifact-type', kind, f'{reference}:{tag}', *names)

    def write_index(self, place):
        option, reference = self._place(place)
        for tag in ('one', 'two'):
            self.write_artifact(place, tag, f'text/x-{tag}')
        self.run('manifest', 'index', 'create', option, f'{reference}:{TAG}', 'one', 'two')

    def files(self, place, folder):
        option, reference = self._place(place)
        self.run('pull', option, f'{reference}:{TAG}', '-o', folder)
        return _found(folder)


class Regctl(Program):
    def _place(self, place):
        return place.reference if isinstance(place, Registry) else f'ocidir://{place.path}'

    def _run(self, place, *words, **options):
        host = ['--host', f'reg={place.host},tls=disabled'] if isinstance(place, Registry) else []
        self.run(*words[:2], *host, *words[2:], **options)

    def write_artifact(self, place, tag=TAG, kind='text/x-test'):
        files = [
            word
            for name in _write_files(self._folder)
            for word in ('-f', name, '-m', 'text/x-file')
        ]
        self._run(
            place, 'artifact', 'put', '--artifact-type', kind, '--file-title', *files,
            f'{self._place(place)}:{tag}',
        )  # fmt: skip

    def write_index(self, place):
        for tag in ('one', 'two'):
            self.write_artifact(place, tag, f'text/x-{tag}')
        reference = self._place(place)
        self._run(
            place, 'index', 'create', f'{reference}:{TAG}',
            '--ref', f'{reference}:one', '--ref', f'{reference}:two',
        )  # fmt: skip

    def files(self, place, folder):
        self._run(place, 'artifact', 'get', f'{self._place(place)}:{TAG}', '-o', folder)
        return _found(folder)


def _found(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


class Dxf:
    def __init__(self, name, request, folder):
        self._folder = folder

    def write_alias(self, place):
        with place.client() as client:
            client.set_alias(TAG, *(client.push_blob(data=data) for data in FILES.values()))

    def write_artifact(self, place, tag=TAG, kind='text/x-test'):
        names = {name: str(self._folder / name) for name in _write_files(self._folder)}
        with place.client() as client:
            return client.push(tag, names, kind)

    def write_index(self, place):
        digests = [self.write_artifact(place, tag, f'text/x-{tag}') for tag in ('one', 'two')]
        with place.client() as client:
            entries = []
            for digest in digests:
                text = client.get_manifest(digest)
                size = len(text.encode())
                entries.append({'mediaType': OCI_MANIFEST, 'digest': digest, 'size': size})
            client.set_manifest(TAG, index(*entries))

    def read(self, place, there):
        with place.client() as client:
            return whole(
                lambda reference: client.get_manifest_and_response(reference)[0].encode(),
                lambda digest: b''.join(client.pull_blob(digest)),
                TAG,
            )

    def files(self, place, folder):
        with place.client() as client:
            client.pull(TAG, str(folder))
        return _found(folder)


NEIGHBOURS = {'skopeo': Skopeo, 'oras': Oras, 'crane': Crane, 'regctl': Regctl, 'dxf': Dxf}

#: What each writes: a row's name -> who, and the method.
WRITTEN = {
    'skopeo: an image': ('skopeo', 'write_image'),
    'skopeo: an index': ('skopeo', 'write_index'),
    'oras: an artifact': ('oras', 'write_artifact'),
    'oras: an index': ('oras', 'write_index'),
    'crane: an image': ('crane', 'write_image'),
    'crane: an index': ('crane', 'write_index'),
    'regctl: an artifact': ('regctl', 'write_artifact'),
    'regctl: an index': ('regctl', 'write_index'),
    'dxf: an alias': ('dxf', 'write_alias'),
    'dxf: an artifact': ('dxf', 'write_artifact'),
    'dxf: an index': ('dxf', 'write_index'),
}
