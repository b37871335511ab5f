"""Multi-arch aliases: Docker's manifest lists and OCI's indexes."""

import json

import pytest

from dxf.exceptions import DXFPlatformDataNotFound

from .support.multiarch import INDEX, LIST, OCI_MANIFEST, MultiArch, entry, index, oci_manifest
from .support.plain import SCHEMA2, schema2, sha256
from .support.shell import run_doit

SHARED = b'a layer that all have'
AMD = (b'{"for": "amd64"}', SHARED, b'amd64')
ARM = (b'{"for": "arm"}', b'arm/v7', SHARED, b'arm/v7')
IMAGES = {'linux/arm/v7': ARM, 'linux/amd64': AMD}

KINDS = {'list': (LIST, SCHEMA2, schema2), 'index': (INDEX, OCI_MANIFEST, oci_manifest)}


@pytest.fixture
def registry(registry_http):
    return registry_http


@pytest.fixture(params=KINDS)
def multi(request, plain):
    """An alias `multi` for two platforms; `plain` has `single` too."""
    plain.push_alias('single', b'single')
    return MultiArch(plain, 'multi', *KINDS[request.param], images=IMAGES)


def json_line(value):
    return json.dumps(value, sort_keys=True).encode() + b'\n'


def layers(config, *contents):
    return [sha256(content) for content in contents]


def test_get_alias(shell, repo, multi):
    out = shell.out('get-alias', repo, 'multi')
    assert out == json_line(multi.each(layers))
    assert out.startswith(b'{"linux/amd64": ["sha256:')
    single = f'{sha256(b"single")}\n'.encode()
    assert shell.out('get-alias', repo, 'single', 'multi', 'single') == single + out + single


def test_pull_blob_fetches_nothing(shell, registry, repo, multi):
    before = registry.registry.log.count(f'GET /v2/{repo}/blobs/')
    assert shell.out('pull-blob', repo, '@multi') == json_line(multi.each(layers))
    assert registry.registry.log.count(f'GET /v2/{repo}/blobs/') == before
    # Of others it does.
    single = sha256(b'single')
    assert shell.out('pull-blob', repo, '@single', '@multi', single) == (
        b'single' + json_line(multi.each(layers)) + b'single'
    )


def test_blob_size(shell, repo, multi):
    out = shell.out('blob-size', repo, '@multi')
    assert out == json_line(multi.each(lambda config, *rest: sum(map(len, rest))))
    assert shell.out('blob-size', repo, '@multi', '@single') == out + b'6\n'


def test_get_digest(shell, repo, multi):
    out = shell.out('get-digest', repo, 'multi')
    assert out == json_line(multi.each(lambda config, *rest: sha256(config)))
    single = f'{sha256(b"single")}\n'.encode()
    assert shell.out('get-digest', repo, 'multi', 'single') == out + single


def test_get_manifest_has_no_newline(shell, repo, multi, plain):
    out = shell.out('get-manifest', repo, 'multi')
    assert out == json.dumps(multi.manifests, sort_keys=True).encode()
    single = plain.get_manifest('single').content
    assert shell.out('get-manifest', repo, 'multi', 'single') == out + single


def test_del_alias(shell, repo, multi, plain):
    digests = {p: sha256(text.encode()) for p, text in multi.manifests.items()}
    assert shell.out('del-alias', repo, 'multi') == json_line(digests)
    assert plain.get_manifest('multi').status_code == 404
    for digest in digests.values():
        assert plain.get_manifest(digest).status_code == 200
    assert plain.has_blob(sha256(SHARED))


def everything(multi):
    """The digests of all manifests and layers, and of the configs."""
    manifests = [multi.digest, *(sha256(text.encode()) for text in multi.manifests.values())]
    blobs = {digest for digests in multi.each(layers).values() for digest in digests}
    configs = multi.each(lambda config, *rest: sha256(config)).values()
    return manifests, blobs, configs


def assert_all_gone(plain, multi):
    manifests, blobs, configs = everything(multi)
    assert [plain.get_manifest(digest).status_code for digest in manifests] == [404, 404, 404]
    assert not any(plain.has_blob(digest) for digest in blobs)
    assert all(plain.has_blob(digest) for digest in configs)


def test_del_blob_takes_all_but_the_configs(shell, repo, multi, plain):
    assert shell.out('del-blob', repo, '@multi') == b''
    assert_all_gone(plain, multi)
    # The other alias is no concern of it.
    assert plain.get_manifest('single').status_code == 200
    assert plain.has_blob(sha256(b'single'))


@pytest.mark.parametrize('end', ['', '\n', '\r\n'])
def test_del_blob_from_stdin(run, registry, repo, plain, end):
    """The list is found by the digest of what was read, to the last byte."""
    kind = (LIST, SCHEMA2, schema2)
    multi = MultiArch(plain, 'multi', *kind, images=IMAGES)
    plain.delete(f'manifests/{multi.digest}')
    multi.text += end
    multi.digest = plain.push_manifest('multi', multi.text, LIST)
    result = run('del-blob', repo, environ=registry.environ(), stdin=multi.text.encode())
    assert result == (0, b'', b'')
    assert_all_gone(plain, multi)


@pytest.mark.parametrize('platform', ['linux/amd64', 'linux/s390x'])
def test_deleting_heeds_no_platform(shell, repo, multi, plain, platform):
    assert shell.out('del-blob', repo, '@multi', DXF_PLATFORM=platform) == b''
    assert_all_gone(plain, multi)


def test_del_alias_heeds_no_platform(shell, repo, multi):
    digests = {p: sha256(text.encode()) for p, text in multi.manifests.items()}
    out = shell.out('del-alias', repo, 'multi', DXF_PLATFORM='linux/amd64')
    assert out == json_line(digests)


@pytest.mark.parametrize('platform', IMAGES)
def test_one_platform(shell, repo, multi, platform):
    config, *contents = IMAGES[platform]
    digests = ''.join(f'{sha256(content)}\n' for content in contents).encode()

    def out(command, alias='@multi'):
        return shell.out(command, repo, alias, DXF_PLATFORM=platform)

    assert out('get-alias', 'multi') == digests
    assert out('pull-blob') == b''.join(contents)
    assert out('blob-size') == b'%d\n' % sum(map(len, contents))
    assert out('get-digest', 'multi') == f'{sha256(config)}\n'.encode()
    assert out('get-manifest', 'multi') == multi.manifests[platform].encode()


def test_a_platform_has_no_effect_on_other_aliases(shell, repo, multi):
    out = shell.out('pull-blob', repo, '@single', DXF_PLATFORM='linux/s390x')
    assert out == b'single'


@pytest.mark.parametrize('command', ['get-alias', 'get-digest', 'get-manifest'])
def test_a_platform_that_is_not_there(repo, registry, multi, command):
    environ = registry.environ(DXF_PLATFORM='linux/s390x')
    with pytest.raises(DXFPlatformDataNotFound) as e:
        run_doit(command, repo, 'multi', environ=environ)
    assert e.value.platform == 'linux/s390x'


def test_an_empty_platform_is_none(shell, repo, multi):
    out = shell.out('get-alias', repo, 'multi', DXF_PLATFORM='')
    assert out == json_line(multi.each(layers))


def test_stdin(shell, repo, multi):
    text = multi.text.encode()
    assert shell.out('pull-blob', repo, stdin=text) == json_line(multi.each(layers))
    assert shell.out('get-alias', repo, stdin=text) == json_line(multi.each(layers))
    sizes = multi.each(lambda config, *rest: sum(map(len, rest)))
    assert shell.out('blob-size', repo, stdin=text) == json_line(sizes)
    configs = multi.each(lambda config, *rest: sha256(config))
    assert shell.out('get-digest', repo, stdin=text) == json_line(configs)
    out = shell.out('pull-blob', repo, stdin=text, DXF_PLATFORM='linux/amd64')
    assert out == SHARED + b'amd64'


def test_attestations_are_no_platform(run, registry, repo, plain):
    multi = MultiArch(plain, 'bare', INDEX, OCI_MANIFEST, oci_manifest, images=IMAGES)
    attestation = oci_manifest(b'{}', b'in-toto')
    plain.push_blob(b'{}')
    plain.push_blob(b'in-toto')
    plain.push_manifest(sha256(attestation.encode()), attestation, OCI_MANIFEST)
    annotated = {'vnd.docker.reference.type': 'attestation-manifest'}
    entries = json.loads(multi.text)['manifests']
    entries.insert(0, entry(attestation, OCI_MANIFEST, 'unknown/unknown', annotations=annotated))
    plain.push_manifest('built', index(INDEX, *entries), INDEX)
    result = run('get-alias', repo, 'built', environ=registry.environ())
    assert result == (0, json_line(multi.each(layers)), b'')


def test_del_blob_of_a_list_whose_platforms_share_a_manifest(run, registry, repo, plain):
    """What is listed twice is there to be deleted once."""
    text = schema2(*AMD)
    for content in AMD:
        plain.push_blob(content)
    digest = plain.push_manifest('child', text)
    both = [entry(text, SCHEMA2, p) for p in ('linux/amd64', 'linux/386')]
    plain.push_manifest('twice', index(LIST, *both), LIST)
    result = run('del-blob', repo, '@twice', environ=registry.environ())
    assert result == (0, b'', b'')
    assert plain.get_manifest('twice').status_code == 404
    assert plain.get_manifest(digest).status_code == 404
    assert not plain.has_blob(sha256(SHARED))


def test_an_index_of_nothing(run, registry, repo, plain):
    plain.push_manifest('nothing', index(INDEX), INDEX)
    environ = registry.environ()
    assert run('get-alias', repo, 'nothing', environ=environ) == (0, b'{}\n', b'')
    assert run('get-manifest', repo, 'nothing', environ=environ) == (0, b'{}', b'')
    assert run('del-blob', repo, '@nothing', environ=environ) == (0, b'', b'')
