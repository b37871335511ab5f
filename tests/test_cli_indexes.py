"""What aliases list, on the command line; and blobs that are not as long as a manifest says."""

import json

import pytest

import dxf

from .support.client import OCI_INDEX, OCI_MANIFEST, Image, entry, index
from .support.fakeserver import Answer, FakeServer
from .support.plain import SCHEMA2, schema2, sha256
from .support.shell import run_doit, run_process


@pytest.fixture
def registry(registry_http):
    return registry_http


@pytest.fixture
def images(plain):
    """For two platforms; one is in an index in the alias `latest`, beside an attestation."""
    made = [Image('linux/amd64'), Image('linux/arm/v7'), Image('unknown/unknown', layers=1)]
    for image in made:
        image.push(plain)
    inner = index(made[1].entry())
    plain.push_manifest(sha256(inner.encode()), inner, OCI_INDEX)
    attestation = made[2].entry(annotations={'vnd.docker.reference.type': 'attestation-manifest'})
    text = index(made[0].entry(), attestation, entry(inner, media_type=OCI_INDEX))
    plain.push_manifest('latest', text, OCI_INDEX)
    plain.push_alias('single', b'single')
    return [*made, inner]


def test_list_platforms(shell, repo, images):
    assert shell.out('list-platforms', repo, 'latest') == b'linux/amd64\nlinux/arm/v7\n'
    assert shell.out('list-platforms', repo, 'single') == b''
    both = shell.out('list-platforms', repo, 'single', 'latest', 'latest')
    assert both == b'linux/amd64\nlinux/arm/v7\n' * 2


def test_list_manifests(shell, repo, images):
    amd, _, attestation, inner = images
    lines = [
        f'{amd.digest} {len(amd.text)} {OCI_MANIFEST} linux/amd64',
        f'{attestation.digest} {len(attestation.text)} {OCI_MANIFEST} attestation',
        f'{sha256(inner.encode())} {len(inner)} {OCI_INDEX} -',
    ]
    assert shell.out('list-manifests', repo, 'latest').decode().splitlines() == lines
    assert shell.out('list-manifests', repo, 'single') == b''
    assert shell.out('get-manifest', repo, attestation.digest) == attestation.text.encode()


def test_pull_blob_and_blob_size_of_what_is_nested(shell, repo, images):
    arm = images[1]
    environ = {'DXF_PLATFORM': 'linux/arm/v7'}
    content = b''.join(arm.layers)
    assert shell.out('pull-blob', repo, '@latest', **environ) == content
    assert shell.out('blob-size', repo, '@latest', **environ) == b'%d\n' % len(content)
    assert set(json.loads(shell.out('pull-blob', repo, '@latest'))) == {
        'linux/amd64',
        'linux/arm/v7',
    }


def test_del_blob_takes_nested_indexes_too(shell, repo, images, plain):
    shell.out('del-blob', repo, '@latest')
    amd, arm, attestation, inner = images
    for digest in (amd.digest, arm.digest, sha256(inner.encode())):
        assert plain.get_manifest(digest).status_code == 404
    assert plain.get_manifest(attestation.digest).status_code == 200
    for layer in amd.layers + arm.layers:
        assert plain.get_blob(sha256(layer)).status_code == 404


@pytest.fixture(params=[-1, 1])
def wrong(request, plain):
    """A manifest whose second layer is not as long as it says: the layer, and that size."""
    first, second = b'first', b'second'
    for content in (first, second):
        plain.push_blob(content)
    document = json.loads(schema2(first, first, second))
    document['layers'][1]['size'] += request.param
    return json.dumps(document), second, len(second) + request.param


@pytest.mark.parametrize('to_file', [True, False])
def test_a_blob_is_as_long_as_the_manifest_says(registry, repo, wrong, tmp_path, to_file):
    text, content, size = wrong
    path = tmp_path / 'file'
    options = ['-o', str(path)] if to_file else []
    result = run_process(
        'pull-blob', *options, repo, environ=registry.environ(), stdin=text.encode()
    )
    assert result.code != 0
    assert result.out == (b'' if to_file else b'first')
    for part in (sha256(content), f'got {len(content)}', f'expected {size}'):
        assert part.encode() in result.err
    assert not path.exists()


def test_what_somebody_else_wrote_is_one_word_in_one_line(run):
    """Neither can it forge a line, nor fail to be printed."""
    digest = sha256(b'')
    text = json.dumps(
        {
            'schemaVersion': 2,
            'manifests': [
                {
                    'digest': digest,
                    'size': 1,
                    'mediaType': 'a b\nc',
                    'platform': {'os': 'l\ud800x', 'architecture': '\x1b[2J\r\u2028'},
                },
            ],
        }
    )
    with FakeServer() as server:
        server.on('GET', '/v2/a/manifests/latest', Answer(body=text))
        environ = {'DXF_HOST': server.host, 'DXF_INSECURE': '1'}
        platforms = run('list-platforms', 'a', 'latest', environ=environ)
        manifests = run('list-manifests', 'a', 'latest', environ=environ)
    assert platforms == (0, b'l?x/?[2J??\n', b'')
    assert manifests == (0, f'{digest} 1 a?b?c l?x/?[2J??\n'.encode(), b'')


def test_an_alias_of_a_subclass_is_read_as_it_reads_it(registry, repo, plain, monkeypatch):
    """Which says nothing of sizes."""
    plain.push_blob(b'content')

    class Other(dxf.DXF):
        def get_alias(self, *args, **kwargs):
            return [sha256(b'content')]

    monkeypatch.setattr(dxf, 'DXF', Other)
    result = run_doit('pull-blob', repo, '@anything', environ=registry.environ())
    assert result == (0, b'content', b'')


def test_a_size_that_is_listed_is_not_asked_for(shell, repo, wrong, plain):
    """What blob-size prints for an alias is the manifest's word."""
    text, _, size = wrong
    plain.push_manifest('latest', text, SCHEMA2)
    assert shell.out('blob-size', repo, '@latest') == b'%d\n' % (5 + size)
