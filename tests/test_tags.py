"""Aliases found, given anew and deleted one by one."""

import json

import pytest
import requests
from jwcrypto.jwk import JWK

import dxf
from dxf.exceptions import (
    DXFDeletionDisabledError,
    DXFDigestMismatchError,
    DXFInvalidNameError,
    DXFUntagCutError,
)
from dxf.tags import _throw_away

from .support.artifacts import KINDS, keeper
from .support.client import (
    OCI_INDEX,
    OCI_MANIFEST,
    SIGNED_SCHEMA1,
    Image,
    Script,
    entry,
    index,
    made_response,
    not_found,
    oci_manifest,
)
from .support.fakeserver import Answer
from .support.flavours import Flavour
from .support.layouts import LayoutPlain, check_layout
from .support.plain import SCHEMA2, PlainClient, schema2, sha256
from .support.requestcount import counted
from .support.schema1 import sign
from .support.shell import Shell, run_doit

D = sha256(b'')


@pytest.fixture(scope='module', params=[*KINDS, 'htpasswd', 'token'])
def flavour(request, tmp_path_factory):
    if request.param == 'token':
        yield request.getfixturevalue('session_registry_token')
    elif request.param == 'htpasswd':
        yield request.getfixturevalue('registry_htpasswd')
    else:
        with keeper(request, request.param, tmp_path_factory) as made:
            yield made


@pytest.fixture
def plain(flavour):
    kind = LayoutPlain if flavour.name == 'layout' else PlainClient
    with kind(flavour, flavour.new_repo('tags')) as made:
        yield made


@pytest.fixture
def client(flavour, plain):
    with dxf.DXF(flavour.host, plain.repo, **flavour.settings()) as made:
        yield made


def status(excinfo):
    return excinfo.value.response.status_code


def multi_arch(plain):
    """An index's text: two platforms, one of them twice, an attestation and another index."""
    images = [Image(platform) for platform in ('linux/amd64', 'linux/arm64')]
    for image in images:
        image.push(plain)
    attestation = oci_manifest(b'attestation')
    plain.push_blob(b'attestation')
    plain.push_manifest(sha256(attestation.encode()), attestation, OCI_MANIFEST)
    inner = index(images[1].entry(), media_type=None)
    plain.push_manifest(sha256(inner.encode()), inner, OCI_INDEX)
    return index(
        images[0].entry(),
        entry(
            attestation, 'unknown/unknown',
            annotations={'vnd.docker.reference.type': 'attestation-manifest'},
        ),
        entry(inner, media_type=OCI_INDEX),
    )  # fmt: skip


def put(plain, text, *tags, media_type=OCI_INDEX):
    for tag in tags:
        plain.push_manifest(tag, text, media_type)
    return sha256(text.encode())


# resolve


def test_resolve(client, plain):
    digest = put(plain, plain.push_alias('latest', b'content'), 'latest', media_type=SCHEMA2)
    assert client.resolve('latest') == digest
    assert client.resolve(digest) == digest
    several = put(plain, multi_arch(plain), 'several')
    assert client.resolve('several') == several
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.resolve('none')
    assert status(e) == 404


def test_a_registry_that_says_no_digest(fake_server):
    text = schema2(b'', b'x')
    answers = [Answer(200, text, {'Content-Type': SCHEMA2}), Answer(200, text)]
    fake_server.on('HEAD', '/v2/a/manifests/latest', Answer(200, headers={'Content-Length': '9'}))
    fake_server.on('GET', '/v2/a/manifests/latest', answers)
    client = dxf.DXF(fake_server.host, 'a', insecure=True)
    assert client.resolve('latest') == sha256(text.encode())


@pytest.mark.parametrize('said', ['nonsense', D, 'sha256:', 'md5:' + '0' * 32])
def test_a_registry_that_says_another_digest(fake_server, said):
    text = schema2(b'', b'x')
    headers = {'Content-Type': SCHEMA2, 'Docker-Content-Digest': said}
    fake_server.on('HEAD', '/v2/a/manifests/.*', Answer(200, headers=headers))
    fake_server.on('GET', '/v2/a/manifests/.*', Answer(200, text, headers))
    client = dxf.DXF(fake_server.host, 'a', insecure=True)
    with pytest.raises(DXFDigestMismatchError):
        client.resolve(sha256(text.encode()))


# tag


def test_tag(client, plain):
    text = plain.push_alias('old', b'content')
    assert client.tag('old', 'new', 'newer') == sha256(text.encode())
    for name in ('old', 'new', 'newer'):
        assert plain.get_manifest(name).text == text
    other = plain.push_alias('other', b'other')
    assert client.tag('other', 'new') == sha256(other.encode())
    assert plain.get_manifest('new').text == other
    assert plain.get_manifest('newer').text == text


def test_tag_an_index(client, plain):
    """Byte for byte, and neither its blobs nor its manifests are asked for."""
    text = multi_arch(plain).replace('{', '{ \n', 1)
    digest = put(plain, text, 'old')
    assert client.tag(digest, 'new') == digest
    stored = plain.get_manifest('new')
    assert (stored.text, stored.headers['Content-Type']) == (text, OCI_INDEX)
    assert client.get_manifest('new') == client.get_manifest('old')


@pytest.mark.parametrize('make', [index, lambda **fields: oci_manifest(b'content', **fields)])
def test_tag_what_does_not_say_its_type(client, plain, make):
    plain.push_blob(b'content')
    text = make(media_type=None)
    kind = OCI_INDEX if 'manifests' in text else OCI_MANIFEST
    digest = put(plain, text, 'old', media_type=kind)
    assert client.tag('old', 'new') == digest
    stored = plain.get_manifest('new')
    assert (stored.text, stored.headers['Content-Type']) == (text, kind)


@pytest.mark.parametrize('name', ['a/b', '.x', '', 'a' * 129, D])
def test_names_that_can_be_no_tags(client, plain, name):
    plain.push_alias('old', b'content')
    with pytest.raises(DXFInvalidNameError):
        client.tag('old', 'new', name)
    assert client.list_aliases() == ['old']


def test_tag_nothing(client, plain):
    plain.push_alias('old', b'content')
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.tag('none', 'new')
    assert status(e) == 404
    assert client.list_aliases() == ['old']


def test_tag_schema1(registry_schema1):
    """It is verified as the old one is."""
    repo = registry_schema1.new_repo()
    with PlainClient(registry_schema1, repo) as plain:
        layer = plain.push_blob(b'layer')
        payload = json.dumps(
            {
                'schemaVersion': 1, 'name': repo, 'tag': 'old', 'architecture': 'amd64',
                'fsLayers': [{'blobSum': layer}], 'history': [{'v1Compatibility': '{}'}],
            },
            indent=3,
        ).encode()  # fmt: skip
        text = sign(payload, JWK.generate(kty='EC', crv='P-256'))
        plain.push_manifest('old', text, SIGNED_SCHEMA1)
        client = dxf.DXF(registry_schema1.host, repo, insecure=True)
        assert client.tag('old', 'new') == sha256(payload)
        assert client.get_alias('new') == [layer]
        assert client.resolve('new') == sha256(payload)
        assert client.untag('old') is None
        assert client.list_aliases() == ['new']


# untag


def check_deleted(client, plain, digest, others):
    assert sorted(client.list_aliases()) == sorted(others)
    assert client.resolve(digest) == digest
    for name in others:
        assert client.resolve(name) == digest
    if plain.flavour.name == 'layout':
        check_layout(plain.flavour.folder / plain.repo)


def test_untag(client, plain):
    digest = put(plain, plain.push_alias('one', b'content'), 'two', 'three', media_type=SCHEMA2)
    assert client.untag('two') is None
    assert plain.get_manifest('two').status_code == 404
    check_deleted(client, plain, digest, ['one', 'three'])
    client.untag('one')
    client.untag('three')
    check_deleted(client, plain, digest, [])
    assert plain.has_blob(sha256(b'content'))


def test_untag_an_index(client, plain):
    text = multi_arch(plain)
    digest = put(plain, text, 'one', 'two')
    client.untag('one')
    check_deleted(client, plain, digest, ['two'])
    for listed in json.loads(text)['manifests']:
        assert client.resolve(listed['digest']) == listed['digest']


def test_untag_what_is_not_there(client, plain):
    digest = put(plain, plain.push_alias('one', b'content'), 'one', media_type=SCHEMA2)
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.untag('none')
    assert status(e) == 404
    check_deleted(client, plain, digest, ['one'])


def test_untag_where_the_blobs_are_gone(client, plain):
    """As `dxf del-blob REPO @ALIAS` leaves it."""
    digest = put(plain, plain.push_alias('one', b'content'), 'one', media_type=SCHEMA2)
    client.del_blob(sha256(b'content'))
    client.untag('one')
    assert client.list_aliases() == []
    assert client.resolve(digest) == digest


def test_a_digest_is_no_alias(client, plain):
    digest = put(plain, plain.push_alias('one', b'content'), 'one', media_type=SCHEMA2)
    with pytest.raises(DXFInvalidNameError):
        client.untag(digest)
    check_deleted(client, plain, digest, ['one'])


def test_each_throw_away_is_another():
    made = {_throw_away() for _ in range(100)}
    assert len(made) == 100
    assert all(json.loads(text)['manifests'] == [] for text in made)


@pytest.fixture(scope='module')
def deletes_nothing(make_registry):
    registry = make_registry(storage={'delete': {'enabled': False}})
    return Flavour('deletes nothing', registry, insecure=True)


def test_untag_where_deletion_is_disabled(deletes_nothing):
    with PlainClient(deletes_nothing, deletes_nothing.new_repo()) as plain:
        text = plain.push_alias('one', b'content')
        client = dxf.DXF(deletes_nothing.host, plain.repo, insecure=True)
        with pytest.raises(DXFDeletionDisabledError) as e:
            client.untag('one')
        assert isinstance(e.value, requests.exceptions.HTTPError)
        assert status(e) == 405
        assert str(e.value) == 'the registry deletes nothing: deletion is disabled there'
        assert plain.get_manifest('one').text == text


def test_round_trips_where_tags_are_deleted(tmp_path_factory, request, monkeypatch):
    with keeper(request, 'distribution', tmp_path_factory) as flavour:
        with PlainClient(flavour, flavour.new_repo()) as plain:
            plain.push_alias('one', b'content')
            client = dxf.DXF(flavour.host, plain.repo, insecure=True)
            with counted(monkeypatch) as count:
                client.untag('one')
            assert count.requests == ['DELETE']


# Cut halfway

TEXT = schema2(b'', b'x')


class Refusing:
    """A registry that deletes by digests, and fails at one of the steps."""

    def __init__(self, *puts, probe=None, delete=None):
        self.calls = []
        self.stored = TEXT
        self._puts = list(puts)
        self._deletes = [_status_error(400), probe or not_found('MANIFEST_UNKNOWN'), delete]

    def __call__(self, method, path, data=None, **kwargs):
        self.calls.append(method)
        if method == 'get':
            return made_response(200, TEXT, Content_Type=SCHEMA2)
        if method == 'put':
            outcome = self._puts.pop(0) if self._puts else None
            if outcome is None:
                self.stored = data.decode()
        else:
            outcome = self._deletes.pop(0)
            if outcome is None:
                self.stored = None
        if outcome is not None:
            raise outcome
        return made_response(201)


def _status_error(code):
    return requests.exceptions.HTTPError(str(code), response=made_response(code))


def untag(double):
    client = dxf.DXF('registry.invalid', 'a')
    client._request = double
    client.untag('one')


def test_the_way_it_goes():
    double = Refusing()
    untag(double)
    assert double.calls == ['delete', 'get', 'delete', 'put', 'delete']
    assert double.stored is None


CUT = requests.exceptions.ConnectionError('cut')


@pytest.mark.parametrize('error', [_status_error(403), dxf.exceptions.DXFUnauthorizedError(), CUT])
def test_no_deletion_by_digest_either(error):
    """Then nothing is put anywhere."""
    double = Refusing(probe=error)
    with pytest.raises(type(error)):
        untag(double)
    assert double.calls == ['delete', 'get', 'delete']
    assert double.stored == TEXT


@pytest.mark.parametrize('code', [401, 403, 404])
def test_other_refusals_are_no_reason_to_go_on(code):
    double = Refusing()
    double._deletes = [_status_error(code)]
    with pytest.raises(requests.exceptions.HTTPError) as e:
        untag(double)
    assert status(e) == code
    assert double.calls == ['delete']


@pytest.mark.parametrize('error', [_status_error(400), dxf.exceptions.DXFUnauthorizedError()])
def test_the_throw_away_is_refused(error):
    double = Refusing(error)
    with pytest.raises(type(error)):
        untag(double)
    assert double.calls == ['delete', 'get', 'delete', 'put']
    assert double.stored == TEXT


@pytest.mark.parametrize('error', [_status_error(500), CUT])
def test_whether_the_throw_away_is_there_is_not_known(error):
    double = Refusing(error)
    with pytest.raises(type(error)):
        untag(double)
    assert double.calls == ['delete', 'get', 'delete', 'put', 'put']
    assert double.stored == TEXT


@pytest.mark.parametrize('error', [_status_error(405), dxf.exceptions.DXFUnauthorizedError(), CUT])
def test_the_alias_is_given_back(error):
    double = Refusing(delete=error)
    with pytest.raises(type(error)):
        untag(double)
    assert double.calls == ['delete', 'get', 'delete', 'put', 'delete', 'put']
    assert double.stored == TEXT


@pytest.mark.parametrize('puts', [(None, CUT), (CUT, CUT)])
def test_the_alias_cannot_be_given_back(puts):
    double = Refusing(*puts, delete=CUT)
    with pytest.raises(DXFUntagCutError) as e:
        untag(double)
    assert (e.value.alias, e.value.digest) == ('one', sha256(TEXT.encode()))
    assert str(e.value) == (
        f'the alias one may be half deleted: it stands for {sha256(TEXT.encode())} or for a '
        'manifest that lists nothing; delete it again, or tag that digest'
    )


def test_an_alias_that_is_gone():
    script = Script(
        {
            ('delete', 'manifests/one'): _status_error(400),
            ('get', 'manifests/one'): not_found('MANIFEST_UNKNOWN'),
        }
    )
    with pytest.raises(requests.exceptions.HTTPError) as e:
        untag(script)
    assert status(e) == 404


# The command line


@pytest.fixture
def shell(flavour):
    return Shell(run_doit, flavour.environ())


def test_commands(shell, plain):
    text = plain.push_alias('one', b'content')
    digest = sha256(text.encode())
    line = f'{digest}\n'.encode()
    assert shell.out('resolve', plain.repo, '@one') == line
    assert shell.out('tag', plain.repo, '@one', '@two', '@three') == line
    assert shell.out('tag', plain.repo, digest, '@four') == line
    assert shell.out('resolve', plain.repo, '@two', '@three') == line * 2
    assert shell.out('untag', plain.repo, '@one', '@three') == b''
    assert shell.out('list-aliases', plain.repo).split() in ([b'four', b'two'], [b'two', b'four'])
    for command in ('resolve', 'untag'):
        code, out, err = shell(command, plain.repo, '@one')
        assert (code, out) == (2, b'')
        assert b'Not Found' in err
    assert plain.get_manifest(digest).text == text


@pytest.mark.parametrize(
    ('args', 'complaint'),
    [
        (['resolve', 'a'], b'too few arguments'),
        (['resolve', 'a', 'one'], b"invalid alias: 'one'"),
        (['tag', 'a', '@one'], b'too few arguments'),
        (['tag', 'a', '@one', '@two', 'three'], b"invalid alias: 'three'"),
        (['untag', 'a'], b'too few arguments'),
        (['untag', 'a', '@one', D], b'invalid alias'),
        (['untag', 'a', '@'], b'invalid alias'),
    ],
)
def test_usage(args, complaint):
    code, out, err = run_doit(*args, environ={'DXF_HOST': 'registry.invalid'})
    assert (code, out) == (2, b'')
    assert complaint in err


@pytest.mark.parametrize('args', [['tag', 'a', 'one', '@two'], ['tag', 'a', '@one', '@-']])
def test_names_that_are_none(args):
    with pytest.raises(DXFInvalidNameError):
        run_doit(*args, environ={'DXF_HOST': 'registry.invalid'})
