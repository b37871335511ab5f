"""Each command on each kind of registry: what it prints, and what it does there."""

import json

import pytest

from .support.plain import schema2, sha256

ONE = b'the first blob\n'
TWO = b'\x00\xff\r\nno newline at the end'
D1 = sha256(ONE)
D2 = sha256(TWO)


def lines(*words):
    return ''.join(f'{word}\n' for word in words).encode()


def manifest(*contents):
    """What dxf makes for these contents, byte for byte."""
    described = [(sha256(content), len(content)) for content in contents]
    layers = ', '.join(
        f'{{"digest": "{digest}", "mediaType": "application/octet-stream", "size": {size}}}'
        for digest, size in described
    )
    digest, size = described[0]
    return (
        f'{{"config": {{"digest": "{digest}", '
        f'"mediaType": "application/vnd.docker.container.image.v1+json", "size": {size}}}, '
        f'"layers": [{layers}], '
        '"mediaType": "application/vnd.docker.distribution.manifest.v2+json", '
        '"schemaVersion": 2}'
    ).encode()


@pytest.fixture
def files(tmp_path):
    """Paths of files with ONE and TWO in them."""
    paths = tmp_path / 'one', tmp_path / 'two'
    for path, content in zip(paths, (ONE, TWO)):
        path.write_bytes(content)
    return paths


def test_push_blob(shell, repo, plain, files):
    assert shell.out('push-blob', repo, files[0]) == lines(D1)
    assert plain.get_blob(D1).content == ONE
    # Again: it is there already.
    assert shell.out('push-blob', repo, files[0]) == lines(D1)


def test_push_blob_under_an_alias(shell, repo, plain, files):
    assert shell.out('push-blob', repo, files[1], '@v1') == lines(D2)
    assert plain.get_manifest('v1').content == manifest(TWO)


def test_push_blob_of_an_empty_file(shell, repo, plain, tmp_path):
    (tmp_path / 'empty').write_bytes(b'')
    assert shell.out('push-blob', repo, tmp_path / 'empty', '@empty') == lines(sha256(b''))
    assert plain.has_blob(sha256(b''))
    assert shell.out('pull-blob', repo, '@empty') == b''
    assert shell.out('blob-size', repo, '@empty') == b'0\n'


def test_pull_blob(shell, repo, plain):
    plain.push_alias('both', ONE, TWO)
    assert shell.out('pull-blob', repo, D1) == ONE
    assert shell.out('pull-blob', repo, D2, D1) == TWO + ONE
    assert shell.out('pull-blob', repo, '@both') == ONE + TWO
    assert shell.out('pull-blob', repo, D2, '@both', D2) == TWO + ONE + TWO + TWO


def test_blob_size(shell, repo, plain):
    plain.push_alias('both', ONE, TWO)
    assert shell.out('blob-size', repo, D1) == lines(len(ONE))
    assert shell.out('blob-size', repo, '@both') == lines(len(ONE) + len(TWO))
    assert shell.out('blob-size', repo, D2, '@both') == lines(len(TWO), len(ONE) + len(TWO))


def test_mount_blob(shell, registry, repo, plain):
    plain.push_blob(ONE)
    other = registry.new_repo('mounted')
    assert shell.out('mount-blob', other, repo, D1) == lines(D1)
    assert shell.out('pull-blob', other, D1) == ONE
    assert shell.out('mount-blob', other, repo, D1, '@here') == lines(D1)
    assert shell.out('get-manifest', other, 'here') == manifest(ONE)


def test_del_blob(shell, repo, plain):
    for content in (ONE, TWO, b'kept'):
        plain.push_blob(content)
    assert shell.out('del-blob', repo, D1, D2) == b''
    assert [plain.has_blob(d) for d in (D1, D2, sha256(b'kept'))] == [False, False, True]


def test_del_blob_of_an_alias_leaves_the_alias(shell, repo, plain):
    # Twice the same blob, which can be deleted once.
    text = plain.push_alias('latest', ONE, TWO, ONE)
    assert shell.out('del-blob', repo, '@latest') == b''
    assert not plain.has_blob(D1)
    assert not plain.has_blob(D2)
    assert plain.get_manifest('latest').text == text


def test_set_alias(shell, repo, plain, files):
    plain.push_blob(ONE)
    plain.push_blob(TWO)
    assert shell.out('set-alias', repo, 'by-digest', D1, D2) == manifest(ONE, TWO)
    assert plain.get_manifest('by-digest').content == manifest(ONE, TWO)
    assert shell.out('set-alias', repo, 'by-file', files[1], D1, files[1]) == manifest(
        TWO, ONE, TWO
    )
    assert plain.get_manifest('by-file').content == manifest(TWO, ONE, TWO)


def test_set_alias_does_not_upload_a_file(shell, repo, plain, files):
    plain.push_blob(ONE)
    assert shell('set-alias', repo, 'latest', files[1]).code != 0
    assert not plain.has_blob(D2)
    assert plain.get_manifest('latest').status_code == 404


def test_get_alias(shell, repo, plain):
    # The first blob is the config too; it is no layer for that.
    text = schema2(b'{}', TWO, ONE, TWO)
    for content in (b'{}', ONE, TWO):
        plain.push_blob(content)
    plain.push_manifest('three', text)
    plain.push_alias('one', ONE)
    assert shell.out('get-alias', repo, 'three') == lines(D2, D1, D2)
    assert shell.out('get-alias', repo, 'one', 'three') == lines(D1, D2, D1, D2)
    assert shell.out('get-alias', repo, sha256(text.encode())) == lines(D2, D1, D2)


def test_del_alias(shell, repo, plain):
    plain.push_alias('first', ONE, TWO)
    plain.push_alias('second', TWO)
    plain.push_alias('kept', b'kept')
    assert shell.out('del-alias', repo, 'first', 'second') == lines(D1, D2, D2)
    assert plain.get_manifest('first').status_code == 404
    assert plain.get_manifest('second').status_code == 404
    assert plain.get_manifest('kept').status_code == 200
    # Blobs are del-blob's.
    assert plain.has_blob(D1)


def test_get_digest(shell, repo, plain):
    for content in (b'{}', ONE, TWO):
        plain.push_blob(content)
    plain.push_manifest('latest', schema2(b'{}', ONE, TWO))
    plain.push_alias('other', TWO)
    assert shell.out('get-digest', repo, 'latest') == lines(sha256(b'{}'))
    assert shell.out('get-digest', repo, 'other', 'latest') == lines(D2, sha256(b'{}'))


def test_get_manifest(shell, repo, plain):
    text = plain.push_alias('latest', ONE, TWO)
    # As they were written: not as JSON prints again.
    odd = json.dumps(json.loads(schema2(TWO, ONE)), indent='\t') + '\r\n'
    plain.push_manifest('odd', odd)
    assert shell.out('get-manifest', repo, 'latest') == text.encode()
    assert shell.out('get-manifest', repo, 'odd', 'latest') == (odd + text).encode()
    assert shell.out('get-manifest', repo, sha256(odd.encode())) == odd.encode()


def test_list_aliases(shell, repo, plain):
    names = ['V_1', 'latest', 'x.y-z', '0']
    for name in names:
        plain.push_alias(name, ONE)
    out = shell.out('list-aliases', repo)
    assert sorted(out.decode().splitlines()) == sorted(names)
    assert out.endswith(b'\n')


def test_list_aliases_of_a_repository_without_any(shell, repo, plain):
    plain.push_alias('latest', ONE)
    assert shell.out('del-alias', repo, 'latest') == lines(D1)
    assert shell.out('list-aliases', repo) == b''


def test_list_repos(shell, repo, plain):
    plain.push_alias('latest', ONE)
    out = shell.out('list-repos')
    assert repo in out.decode().splitlines()
    assert out.endswith(b'\n')
