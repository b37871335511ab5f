"""dxf and skopeo, which somebody else wrote, read what the other has stored."""

import gzip
import io
import json
import shutil
import subprocess
import tarfile

import pytest

from dxf import DXF

from .support.commandline import environment
from .support.multiarch import INDEX, OCI_CONFIG, OCI_MANIFEST
from .support.plain import descriptor, sha256
from .support.shell import run_process

OCI_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip'
SKOPEO_SECONDS = 120


@pytest.fixture
def run_skopeo(skopeo, registry, tmp_path):
    """Runs skopeo with none of the user's settings; gives its stdout."""
    (tmp_path / 'home').mkdir()
    (tmp_path / 'certificates').mkdir()
    if registry.ca:
        shutil.copy(registry.ca, str(tmp_path / 'certificates' / 'ca.crt'))

    def run(command, *args):
        options = []
        # Of copy's two sides the one that is a registry is to know these.
        sides = {'copy': ['src-', 'dest-']}.get(command, [''])
        for side in sides:
            options += [f'--{side}cert-dir', str(tmp_path / 'certificates')]
            if registry.insecure:
                options.append(f'--{side}tls-verify=false')
            if registry.username:
                options.append(f'--{side}creds={registry.username}:{registry.password}')
        machine = ['--override-os', 'linux', '--override-arch', 'amd64']
        done = subprocess.run(
            [skopeo, '--insecure-policy', *machine, command, *options, *map(str, args)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SKOPEO_SECONDS,
            env=environment({'HOME': str(tmp_path / 'home'), 'TMPDIR': str(tmp_path)}),
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


def layer(name, content):
    """A compressed tar with a file in it. As it is compressed, skopeo leaves it alone."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode='w') as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return gzip.compress(made.getvalue()), sha256(made.getvalue())


class Layout:
    """An image in an OCI image layout. `index`: also one for another machine, in an index."""

    def __init__(self, folder, architectures=('amd64',)):
        self.folder = folder
        self.images = {a: self._image(a) for a in architectures}
        manifests = [
            {
                **descriptor(manifest, OCI_MANIFEST),
                'platform': {'os': 'linux', 'architecture': architecture},
            }
            for architecture, (manifest, _, _) in self.images.items()
        ]
        if len(manifests) > 1:
            self.index = self._write(
                {'schemaVersion': 2, 'mediaType': INDEX, 'manifests': manifests}
            )
            manifests = [descriptor(self.index, INDEX)]
        (folder / 'oci-layout').write_text('{"imageLayoutVersion": "1.0.0"}')
        (folder / 'index.json').write_text(
            json.dumps({'schemaVersion': 2, 'manifests': manifests})
        )

    def _write(self, content):
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        path = self.folder / 'blobs' / 'sha256' / sha256(content).partition(':')[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return content

    def _image(self, architecture):
        """Its manifest, its config and its layers."""
        made = [
            layer('machine', architecture.encode() * 1000),
            layer('shared', bytes(range(256)) * 1000),
        ]
        layers = [self._write(compressed) for compressed, _ in made]
        config = self._write(
            {
                'architecture': architecture,
                'os': 'linux',
                'rootfs': {'type': 'layers', 'diff_ids': [plain for _, plain in made]},
            }
        )
        manifest = self._write(
            {
                'schemaVersion': 2,
                'mediaType': OCI_MANIFEST,
                'config': descriptor(config, OCI_CONFIG),
                'layers': [descriptor(content, OCI_GZIP) for content in layers],
            }
        )
        return manifest, config, layers


def test_dxf_reads_what_skopeo_has_pushed(registry, repo, run_skopeo, tmp_path):
    layout = Layout(tmp_path)
    run_skopeo('copy', f'oci:{tmp_path}', f'docker://{registry.host}/{repo}:latest')
    manifest, config, layers = layout.images['amd64']
    digests = [sha256(content) for content in layers]
    with DXF(registry.host, repo, **registry.settings()) as dxf:
        assert dxf.list_aliases() == ['latest']
        assert dxf.get_manifest('latest').encode() == manifest
        assert dxf.head_manifest_and_response('latest')[0] == sha256(manifest)
        assert dxf.get_digest('latest') == sha256(config)
        assert dxf.get_alias('latest') == digests
        sizes = [(sha256(content), len(content)) for content in layers]
        assert dxf.get_alias('latest', sizes=True) == sizes
        for content in [config, *layers]:
            assert dxf.blob_size(sha256(content)) == len(content)
            chunks, size = dxf.pull_blob(sha256(content), size=True)
            assert (b''.join(chunks), size) == (content, len(content))
    environ = registry.environ()
    result = run_process('pull-blob', repo, '@latest', environ=environ)
    assert result == (0, b''.join(layers), b'')
    result = run_process('blob-size', repo, '@latest', environ=environ)
    assert result == (0, b'%d\n' % sum(map(len, layers)), b'')


def test_dxf_reads_docker_s_format_from_skopeo(registry, repo, run_skopeo, tmp_path):
    layout = Layout(tmp_path)
    docker = f'docker://{registry.host}/{repo}:latest'
    run_skopeo('copy', '--format', 'v2s2', f'oci:{tmp_path}', docker)
    _, _, layers = layout.images['amd64']
    with DXF(registry.host, repo, **registry.settings()) as dxf:
        # skopeo makes the manifest then, and says itself which.
        raw = run_skopeo('inspect', '--raw', docker)
        assert dxf.get_manifest('latest').encode() == raw
        assert dxf.get_alias('latest') == [sha256(content) for content in layers]
        assert b''.join(dxf.pull_blob(dxf.get_alias('latest')[0])) == layers[0]
        config = json.loads(b''.join(dxf.pull_blob(dxf.get_digest('latest'))))
        assert config['architecture'] == 'amd64'


def test_dxf_reads_an_index_from_skopeo(registry, repo, run_skopeo, tmp_path):
    layout = Layout(tmp_path, ['amd64', 's390x'])
    run_skopeo('copy', '--all', f'oci:{tmp_path}', f'docker://{registry.host}/{repo}:latest')

    def each(value):
        return {f'linux/{name}': value(*image) for name, image in layout.images.items()}

    with DXF(registry.host, repo, **registry.settings()) as dxf:
        assert dxf.get_manifest_and_response('latest')[0].encode() == layout.index
        assert dxf.get_manifest('latest') == each(lambda m, c, ls: m.decode())
        assert dxf.get_digest('latest') == each(lambda m, c, ls: sha256(c))
        assert dxf.get_alias('latest') == each(lambda m, c, ls: [sha256(one) for one in ls])
        assert dxf.get_alias('latest', platform='linux/s390x') == [
            sha256(content) for content in layout.images['s390x'][2]
        ]


CONTENTS = [b'no image at all\n', bytes(range(256)) * 100]


def test_skopeo_reads_an_alias_s_manifest(registry, repo, run_skopeo):
    with DXF(registry.host, repo, **registry.settings()) as dxf:
        digests = [dxf.push_blob(data=content) for content in CONTENTS]
        text = dxf.set_alias('latest', *digests)
    docker = f'docker://{registry.host}/{repo}:latest'
    assert run_skopeo('inspect', '--raw', docker) == text.encode()
    tags = json.loads(run_skopeo('list-tags', f'docker://{registry.host}/{repo}'))
    assert tags['Tags'] == ['latest']


@pytest.mark.parametrize('kind', ['oci', 'docker'])
def test_skopeo_copies_out_what_dxf_has_stored(registry, repo, run_skopeo, tmp_path, kind):
    """Blobs and manifest, byte for byte.

    Skopeo reads no schema 2 manifest with layers of another type than Docker's
    ("unsupported docker v2s2 media type"), and so no alias that `set_alias`
    writes. What is stored here is such an alias's manifest in OCI's format,
    which takes layers of any type; and in Docker's, with the layers' types changed.

    It goes to a folder (`dir:`), for which nothing is made of the config: that is
    no image's, but the first blob.
    """
    with DXF(registry.host, repo, **registry.settings()) as dxf:
        digests = [dxf.push_blob(data=content) for content in CONTENTS]
        manifest = json.loads(dxf.make_manifest(*digests))
        if kind == 'oci':
            manifest['mediaType'] = OCI_MANIFEST
        else:
            for one in manifest['layers']:
                one['mediaType'] = 'application/vnd.docker.image.rootfs.diff.tar'
        text = json.dumps(manifest)
        dxf.set_manifest('latest', text)
    out = tmp_path / 'out'
    run_skopeo(
        'copy', '--preserve-digests', f'docker://{registry.host}/{repo}:latest', f'dir:{out}'
    )
    assert (out / 'manifest.json').read_bytes() == text.encode()
    for digest, content in zip(digests, CONTENTS):
        assert (out / digest.partition(':')[2]).read_bytes() == content


def test_skopeo_copies_an_image_that_dxf_has_stored(registry, repo, run_skopeo, tmp_path):
    """Pushed piece by piece by dxf, it is the same layout when it comes out."""
    source, out = tmp_path / 'source', tmp_path / 'out'
    source.mkdir()
    manifest, config, layers = Layout(source).images['amd64']
    with DXF(registry.host, repo, **registry.settings()) as dxf:
        for content in [config, *layers]:
            path = source / 'blobs' / 'sha256' / sha256(content).partition(':')[2]
            assert dxf.push_blob(str(path)) == sha256(content)
        dxf.set_manifest('latest', manifest.decode())
    run_skopeo('copy', f'docker://{registry.host}/{repo}:latest', f'oci:{out}:latest')
    copied = {path.name: path.read_bytes() for path in (out / 'blobs' / 'sha256').iterdir()}
    assert copied == {
        sha256(content).partition(':')[2]: content for content in [manifest, config, *layers]
    }
