"""The two methods that every request goes through, as subclasses replace them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

import dxf

from .support.client import (
    OCI_INDEX,
    OCI_MANIFEST,
    Image,
    client_for,
    index,
    made_response,
    oci_manifest,
)
from .support.plain import PlainClient, sha256

DIGEST = sha256(b'content')


@pytest.fixture
def client():
    """One of a registry that is not there."""
    return dxf.DXF('registry.example', 'some/repo')


def test_it_is_looked_up_at_each_call(client, monkeypatch):
    def answering(size):
        return lambda *args, **kwargs: made_response(200, Content_Length=str(size))

    client._request = answering(1)
    assert client.blob_size(DIGEST) == 1
    client._request = answering(2)
    assert client.blob_size(DIGEST) == 2
    del client._request
    monkeypatch.setattr(dxf.DXF, '_request', answering(3))
    assert client.blob_size(DIGEST) == 3
    monkeypatch.undo()
    monkeypatch.setattr(dxf.DXFBase, '_base_request', answering(4))
    assert client.blob_size(DIGEST) == 4


def test_it_is_looked_up_for_each_page(client):
    base = dxf.DXFBase('registry.example')

    def list_in_two_pages(made, seam, read):
        def second(*args, **kwargs):
            return made_response(200, b'{"tags": ["b"], "repositories": ["b"]}')

        def first(*args, **kwargs):
            setattr(made, seam, second)
            body = b'{"tags": ["a"], "repositories": ["a"]}'
            return made_response(200, body, Link='</v2/next>; rel="next"')

        setattr(made, seam, first)
        return list(read(iterate=True))

    assert list_in_two_pages(client, '_request', client.list_aliases) == ['a', 'b']
    assert list_in_two_pages(base, '_base_request', base.list_repos) == ['a', 'b']


def test_requests_of_a_subclass(registry_http):
    """Both seams overridden, each calling super."""
    seen = []

    class Ours(dxf.DXF):
        def _request(self, method, path, **kwargs):
            seen.append(('request', method, path))
            return super()._request(method, path, **kwargs)

        def _base_request(self, method, path, **kwargs):
            seen.append(('base', method, path))
            return super()._base_request(method, path, **kwargs)

    repo = registry_http.new_repo()
    with Ours(registry_http.host, repo, insecure=True) as client:
        digest = client.push_blob(data=b'content')
        client.set_alias('latest', digest)
        client.get_alias('latest')
        client.list_aliases()
        b''.join(client.pull_blob(digest))
        client.del_alias('latest')
        client.del_blob(digest)
        about_the_repository = len(seen)
        client.list_repos()
    rest = seen[about_the_repository:]
    del seen[about_the_repository:]
    for (kind, method, path), (under, base_method, base_path) in zip(seen[::2], seen[1::2]):
        assert (kind, under) == ('request', 'base')
        assert method == base_method == method.lower()
        assert base_path in (path, f'{repo}/{path}')
        assert path.startswith(('manifests/', 'blobs/', 'tags/list', registry_http.url))
    assert rest[0] == ('base', 'get', '_catalog')
    assert {kind for kind, _, _ in rest} == {'base'}


def test_how_workflow_engines_call_it(registry_http):
    """`_request` is called from outside, with headers."""

    class Ours(dxf.DXF):
        def accept(self, alias, kind):
            return self._request('get', 'manifests/' + alias, headers={'Accept': kind})

    repo = registry_http.new_repo()
    with PlainClient(registry_http, repo) as plain, Ours(
        registry_http.host, repo, insecure=True
    ) as client:
        for content in (b'config', b'one'):
            plain.push_blob(content)
        text = oci_manifest(b'config', b'one')
        plain.push_manifest('latest', text, OCI_MANIFEST)
        assert client.accept('latest', OCI_MANIFEST).text == text
        with pytest.raises(requests.exceptions.HTTPError) as e:
            client.accept('latest', 'application/json')
    assert e.value.response.status_code == 404


class Guard:
    """Fails when two threads are inside at once."""

    def __init__(self, function):
        self._function = function
        self._lock = threading.Lock()
        self.overlapped = False
        self.calls = 0

    def __call__(self, *args, **kwargs):
        if not self._lock.acquire(False):
            self.overlapped = True
            return self._function(*args, **kwargs)
        try:
            self.calls += 1
            result = self._function(*args, **kwargs)
            # Long enough for another to come in, if one may.
            threading.Event().wait(0.02)
            return result
        finally:
            self._lock.release()


@pytest.mark.parametrize('seam', ['_request', '_base_request'])
@pytest.mark.parametrize('how', ['instance', 'subclass', 'class'])
def test_a_replaced_seam_is_never_run_twice_at_once(registry_http, monkeypatch, seam, how):
    repo = registry_http.new_repo()
    images = [Image(f'linux/machine{n}', layers=1) for n in range(4)]
    with PlainClient(registry_http, repo) as plain:
        for image in images:
            image.push(plain)
        plain.push_manifest(
            'latest',
            index(*[i.entry() for i in images]),
            OCI_INDEX,
        )
    original = getattr(dxf.DXF, seam)
    if how == 'subclass':
        guard = Guard(original)
        cls = type('Ours', (dxf.DXF,), {seam: lambda *args, **kwargs: guard(*args, **kwargs)})
    else:
        cls = dxf.DXF
    with cls(registry_http.host, repo, insecure=True) as client:
        if how == 'instance':
            guard = Guard(getattr(client, seam))
            setattr(client, seam, guard)
        elif how == 'class':
            guard = Guard(original)
            owner = dxf.DXF if seam == '_request' else dxf.DXFBase
            monkeypatch.setattr(owner, seam, lambda *args, **kwargs: guard(*args, **kwargs))
        assert client.get_alias('latest') == {i.platform: i.layer_digests for i in images}
        client.make_manifest(*[digest for i in images for digest in i.layer_digests])
    assert guard.calls >= 9
    assert not guard.overlapped


def test_auth_is_never_run_twice_at_once(registry_token):
    """Many platforms are asked for side by side, and each may meet a 401."""
    repo = registry_token.new_repo()
    images = [Image(f'linux/machine{n}', layers=1) for n in range(8)]
    with PlainClient(registry_token, repo) as plain:
        for image in images:
            image.push(plain)
        plain.push_manifest(
            'latest',
            index(*[i.entry() for i in images]),
            OCI_INDEX,
        )
    guard = Guard(registry_token.auth())
    with client_for(registry_token, repo) as client:
        client._auth = guard
        text, _ = client.get_manifest_and_response('latest')
        client.token = registry_token.token_service.sign(lifetime=-3600)
        assert len(client.get_alias(manifest=text)) == 8
    assert guard.calls >= 2
    assert not guard.overlapped


def test_auth_of_children_is_never_run_twice_at_once(registry_token):
    """They have it from one base, and each may be used by a thread of its own."""
    guard = Guard(registry_token.auth())
    settings = dict(registry_token.settings(), auth=guard)
    with dxf.DXFBase(registry_token.host, **settings) as base:
        children = [dxf.DXF.from_base(base, registry_token.new_repo()) for _ in range(6)]
        with ThreadPoolExecutor(len(children)) as pool:
            pushed = list(pool.map(lambda child: child.push_blob(data=b'x'), children))
    assert pushed == [sha256(b'x')] * len(children)
    assert guard.calls >= len(children)
    assert not guard.overlapped
