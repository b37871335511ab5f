"""What commands print with --format json."""

import json

import pytest

from dxf import documents
from dxf.grammar import COMMANDS

from .support.multiarch import INDEX, OCI_MANIFEST, MultiArch, oci_manifest
from .support.plain import sha256

ONE, TWO = b'one', b'number two'


@pytest.fixture
def registry(registry_http):
    return registry_http


@pytest.fixture
def found(shell, repo):
    """`found(command, argument...)` is what it prints, as a value."""

    def run(command, *args, **kwargs):
        out = shell.out(command, '--format', 'json', *args, **kwargs)
        assert out.endswith(b'\n') and out.count(b'\n') == 1
        return json.loads(out)

    return run


BLOBS = [{'digest': sha256(blob), 'size': len(blob)} for blob in (ONE, TWO)]


@pytest.fixture
def both(plain):
    plain.push_alias('both', ONE, TWO)


def test_every_command_that_has_the_option_has_a_document():
    having = [c.name for c in COMMANDS if any(o.name == 'format' for o in c.options)]
    assert sorted(having) == sorted(documents.COMMANDS)


def test_of_an_alias(found, shell, both, repo):
    assert found('get-alias', repo, 'both') == [{'name': 'both', 'blobs': BLOBS}]
    assert found('blob-size', repo, '@both', sha256(ONE)) == [
        {'name': '@both', 'size': 13},
        {'name': sha256(ONE), 'size': 3},
    ]
    assert found('get-digest', repo, 'both') == [{'name': 'both', 'digest': sha256(ONE)}]
    assert found('list-platforms', repo, 'both') == [{'name': 'both', 'platforms': []}]
    assert found('list-manifests', repo, 'both') == []
    assert found('list-aliases', repo) == ['both']
    digest = shell.out('resolve', repo, '@both').decode().strip()
    assert found('resolve', repo, '@both') == [{'name': '@both', 'digest': digest}]
    (manifest,) = found('get-manifest', repo, 'both')
    assert manifest['name'] == 'both'
    assert json.loads(manifest['manifest'])['layers'][1]['size'] == len(TWO)


def test_of_a_manifest_on_standard_input(found, shell, both, repo):
    text = shell.out('get-manifest', repo, 'both')
    assert found('get-alias', repo, stdin=text) == [{'name': None, 'blobs': BLOBS}]
    assert found('blob-size', repo, stdin=text) == [{'name': None, 'size': 13}]


def test_deleting(found, both, repo):
    assert found('del-alias', repo, 'both') == [
        {'name': 'both', 'blobs': [blob['digest'] for blob in BLOBS]}
    ]


IMAGES = {'linux/amd64': (b'config 1', ONE, TWO), 'linux/arm/v7': (b'config 2', TWO)}


def test_of_several_platforms(found, plain, repo):
    made = MultiArch(plain, 'multi', INDEX, OCI_MANIFEST, oci_manifest, IMAGES)
    platforms = list(made.images)

    def entry(value):
        return [{'name': 'multi', 'platforms': made.each(value)}]

    assert found('get-alias', repo, 'multi') == entry(
        lambda _, *layers: {
            'blobs': [{'digest': sha256(layer), 'size': len(layer)} for layer in layers]
        }
    )
    assert found('get-digest', repo, 'multi') == entry(
        lambda config, *_: {'digest': sha256(config)}
    )
    (size,) = found('blob-size', repo, '@multi')
    assert size == {
        'name': '@multi',
        'platforms': made.each(lambda _, *layers: {'size': sum(map(len, layers))}),
    }
    assert found('list-platforms', repo, 'multi') == [{'name': 'multi', 'platforms': platforms}]
    (manifest,) = found('get-manifest', repo, 'multi')
    assert manifest['platforms'] == {
        platform: {'manifest': text} for platform, text in made.manifests.items()
    }
    listed = found('list-manifests', repo, 'multi')
    assert listed == [
        {
            'digest': sha256(text.encode()),
            'size': len(text),
            'mediaType': OCI_MANIFEST,
            'artifactType': None,
            'platform': platform,
            'annotations': {},
        }
        for platform, text in made.manifests.items()
    ]
    assert found('del-alias', repo, 'multi') == [
        {
            'name': 'multi',
            'platforms': {one['platform']: {'digest': one['digest']} for one in listed},
        }
    ]


def test_the_files_of_an_artifact(found, shell, repo, tmp_path, monkeypatch):
    """By their names, whatever is in these."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a\tb').write_bytes(ONE)
    (tmp_path / 'c').write_bytes(TWO)
    digest = shell.out('push', repo, '@files', 'a\tb', 'c').decode().strip()
    assert found('pull', '-o', 'out', repo, '@files') == ['out/a\tb', 'out/c']
    shell.out('attach', '--type', 'text/x-note', repo, digest, 'c')
    (one,) = found('list-referrers', repo, '@files')
    assert one['artifactType'] == 'text/x-note'
    assert one['mediaType'] == 'application/vnd.oci.image.manifest.v1+json'
    assert found('list-referrers', '--type', 'text/x-other', repo, '@files') == []


def test_the_repositories(found, repo, both):
    assert repo in found('list-repos')


def test_the_option_may_stand_anywhere(shell, repo, both):
    expected = shell.out('blob-size', '--format', 'json', repo, '@both', '@both')
    for args in (
        [repo, '--format=json', '@both', '@both'],
        [repo, '@both', '@both', '--format', 'json'],
    ):
        assert shell.out('blob-size', *args) == expected


def test_text_is_what_it_is_without(shell, repo, both):
    for command, *args in (
        ('get-alias', repo, 'both'),
        ('blob-size', repo, '@both'),
        ('list-aliases', repo),
    ):
        assert shell.out(command, '--format', 'text', *args) == shell.out(command, *args)


def test_there_is_no_other_format(shell, repo):
    result = shell('list-aliases', '--format', 'yaml', repo)
    assert (result.code, result.out) == (2, b'')
    assert b"invalid choice: 'yaml'" in result.err
