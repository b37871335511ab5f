"""Variables, certificates, and that nothing else of the user's counts."""

import base64
import errno
import json
import shutil

import pytest
import requests

from dxf.exceptions import DXFConfigurationError
from dxf.main import doit

from .support.fakeserver import Answer
from .support.plain import sha256
from .support.shell import run_doit

CONTENT = bytes(range(256)) * 100
DIGEST = sha256(CONTENT)


@pytest.fixture
def registry(registry_http):
    return registry_http


@pytest.fixture
def tls(registry_htpasswd):
    """A repository's name and the variables for it, those about certificates apart."""
    environ = registry_htpasswd.environ()
    del environ['DXF_TLSVERIFY']
    return registry_htpasswd.new_repo(), environ


def empty(tmp_path):
    path = tmp_path / 'empty'
    path.write_bytes(b'')
    return path


# What a push of the empty file prints.
PUSHED = (0, sha256(b'').encode() + b'\n', b'')


def test_certificates_are_verified(tls, tmp_path):
    repo, environ = tls
    for value in (
        {},
        {'DXF_SKIPTLSVERIFY': ''},
        {'DXF_SKIPTLSVERIFY': '0'},
        {'DXF_TLSVERIFY': ''},
    ):
        with pytest.raises(requests.exceptions.SSLError):
            run_doit('push-blob', repo, empty(tmp_path), environ={**environ, **value})


def test_skiptlsverify(run, tls, tmp_path):
    """And not a word about it."""
    repo, environ = tls
    result = run('push-blob', repo, empty(tmp_path), environ={**environ, 'DXF_SKIPTLSVERIFY': '1'})
    assert result == PUSHED


def test_tlsverify(run, tls, certificates, tmp_path):
    repo, environ = tls
    environ['DXF_TLSVERIFY'] = certificates.ca
    assert run('push-blob', repo, empty(tmp_path), environ=environ) == PUSHED


def test_tlsverify_with_another_bundle(tls, other_certificates, tmp_path):
    repo, environ = tls
    environ['DXF_TLSVERIFY'] = other_certificates.ca
    with pytest.raises(requests.exceptions.SSLError):
        run_doit('push-blob', repo, empty(tmp_path), environ=environ)


@pytest.mark.parametrize('bundle', ['/no/such/file', 'other'])
def test_skiptlsverify_wins_over_tlsverify(run, tls, other_certificates, tmp_path, bundle):
    repo, environ = tls
    path = other_certificates.ca if bundle == 'other' else bundle
    environ.update(DXF_TLSVERIFY=path, DXF_SKIPTLSVERIFY='1')
    assert run('push-blob', repo, empty(tmp_path), environ=environ) == PUSHED


@pytest.mark.parametrize('name', ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'])
def test_the_process_s_bundle(tls, certificates, tmp_path, monkeypatch, name):
    repo, environ = tls
    # In the mapping it means nothing.
    with pytest.raises(requests.exceptions.SSLError):
        run_doit('push-blob', repo, empty(tmp_path), environ={**environ, name: certificates.ca})
    monkeypatch.setenv(name, certificates.ca)
    assert run_doit('push-blob', repo, empty(tmp_path), environ=environ) == PUSHED


def test_a_proxy_comes_from_the_process(fake_server, monkeypatch):
    """The server plays a proxy: it sees the whole URL."""
    fake_server.on('GET', '.*', Answer(body={'tags': ['latest']}))
    environ = {'DXF_HOST': 'registry.example:5000', 'DXF_INSECURE': '1'}
    monkeypatch.setenv('http_proxy', fake_server.url)
    assert run_doit('list-aliases', 'a/b', environ=environ) == (0, b'latest\n', b'')
    assert fake_server.requests[0].target == 'http://registry.example:5000/v2/a/b/tags/list'


def test_insecure_is_1_and_nothing_else(registry, tmp_path):
    repo = registry.new_repo()
    for value in ('', '0', 'true', 'no'):
        with pytest.raises(requests.exceptions.SSLError):
            run_doit(
                'push-blob',
                repo,
                empty(tmp_path),
                environ={'DXF_HOST': registry.host, 'DXF_INSECURE': value},
            )


def test_empty_variables_count_as_unset(run, registry, repo, plain):
    plain.push_alias('latest', CONTENT)
    names = (
        'USERNAME',
        'PASSWORD',
        'AUTHORIZATION',
        'AUTH_HOST',
        'TOKEN',
        'PROGRESS',
        'BLOB_INFO',
        'CHUNK_SIZE',
        'SKIPTLSVERIFY',
        'TLSVERIFY',
        'PLATFORM',
        'DEBUG',
    )
    environ = {f'DXF_{name}': '' for name in names}
    environ.update(registry.environ())
    assert run('pull-blob', repo, '@latest', environ=environ) == (0, CONTENT, b'')


@pytest.mark.parametrize(
    'host', ['https://auth.example', 'auth.example/token', 'fred:f00dbabe@auth', 'a b', 'a:b']
)
@pytest.mark.parametrize('start', ['DXF_', 'DXF_TO_'])
def test_credentials_go_to_no_part_of_an_address(host, start):
    """Of one that begins with https, that would be a host of this name."""
    environ = {'DXF_HOST': 'localhost:1', 'DXF_TO_HOST': 'localhost:1', f'{start}AUTH_HOST': host}
    with pytest.raises(DXFConfigurationError, match=f'{start}AUTH_HOST is no host') as e:
        doit(['copy', 'a', '@b', 'c'], environ)
    assert 'f00dbabe' not in str(e.value)
    assert (e.value.__cause__, e.value.__context__) == (None, None)


def test_an_empty_token_is_not_sent(fake_server):
    fake_server.on('GET', '/v2/a/b/tags/list', Answer(body={'tags': None}))
    environ = {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1', 'DXF_TOKEN': ''}
    assert run_doit('list-aliases', 'a/b', environ=environ) == (0, b'', b'')
    assert 'Authorization' not in fake_server.requests[0].headers


def test_blob_info(shell, repo, plain):
    plain.push_alias('both', CONTENT, b'two')

    def info(content):
        return f'{sha256(content)} {len(content)}\n'.encode() + content

    out = shell.out('pull-blob', repo, '@both', DIGEST, DXF_BLOB_INFO='1')
    assert out == info(CONTENT) + info(b'two') + info(CONTENT)
    for value in ('0', ''):
        assert shell.out('pull-blob', repo, DIGEST, DXF_BLOB_INFO=value) == CONTENT


@pytest.mark.parametrize(
    ('chunk_size', 'sizes'),
    [
        (None, [8192] * 3 + [1024]),
        ('', [8192] * 3 + [1024]),
        ('10000', [10000, 10000, 5600]),
        ('25600', [25600]),
        ('25599', [25599, 1]),
        ('999999999', [25600]),
    ],
)
def test_chunk_size(registry, repo, plain, monkeypatch, chunk_size, sizes):
    plain.push_blob(CONTENT)
    written = []

    class Out:
        def write(self, chunk):
            written.append(chunk)

        def flush(self):
            pass

    monkeypatch.setattr('sys.stdout', Out())
    environ = registry.environ()
    if chunk_size is not None:
        environ['DXF_CHUNK_SIZE'] = chunk_size
    assert doit(['pull-blob', repo, DIGEST], environ) == 0
    assert b''.join(written) == CONTENT
    assert [len(chunk) for chunk in written] == sizes


@pytest.mark.parametrize('chunk_size', ['0', '-1', '1.5', 'many', '1k', '²', ' '])
def test_a_chunk_size_that_is_none(fake_server, chunk_size):
    environ = {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1', 'DXF_CHUNK_SIZE': chunk_size}
    with pytest.raises(DXFConfigurationError, match='DXF_CHUNK_SIZE'):
        run_doit('pull-blob', 'a/b', DIGEST, environ=environ)
    assert fake_server.requests == []


def test_other_variables_may_be_anything(registry, repo, plain):
    plain.push_alias('latest', CONTENT)
    odd = {
        'HOME': print,
        'DOCKER_CONFIG': object(),
        'PATH': 7,
        'XDG_RUNTIME_DIR': None,
        'DOCKER_AUTH_CONFIG': len,
        'REGISTRY_AUTH_FILE': [],
        'function': lambda: None,
        'http_proxy': print,
        'REQUESTS_CA_BUNDLE': print,
        7: 8,
    }
    result = run_doit('pull-blob', repo, '@latest', environ={**odd, **registry.environ()})
    assert result == (0, CONTENT, b'')


@pytest.mark.parametrize('odd', [print, object(), 7, [], {}], ids=lambda odd: type(odd).__name__)
def test_others_may_be_anything_where_credentials_are_looked_for(
    fake_tls_server, certificates, odd
):
    names = ('HOME', 'DOCKER_CONFIG', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'PATH')
    names += ('DOCKER_AUTH_CONFIG', 'REGISTRY_AUTH_FILE')
    fake_tls_server.on(None, '.*', Answer(401, headers={'WWW-Authenticate': 'Basic realm="x"'}))
    environ = {'DXF_HOST': fake_tls_server.host, 'DXF_TLSVERIFY': certificates.ca}
    result = run_doit('list-aliases', 'a/b', environ={**dict.fromkeys(names, odd), **environ})
    assert (result.code, result.out) == (errno.EACCES, b'')


def test_the_mapping_is_left_as_it_is(registry, repo):
    environ = registry.environ(DXF_BLOB_INFO='1')
    before = dict(environ)
    run_doit('auth', repo, environ=environ)
    assert environ == before


def test_variables_of_the_process_do_not_count(registry, repo, plain, monkeypatch):
    plain.push_alias('latest', CONTENT)
    for name, value in {
        'DXF_HOST': 'elsewhere.invalid',
        'DXF_BLOB_INFO': '1',
        'DXF_TOKEN': 'x',
        'DXF_PROGRESS': '1',
        'DXF_CHUNK_SIZE': 'x',
        'DXF_USERNAME': 'x',
        'DXF_PASSWORD': 'x',
    }.items():
        monkeypatch.setenv(name, value)
    result = run_doit('pull-blob', repo, '@latest', environ=registry.environ())
    assert result == (0, CONTENT, b'')


def test_no_file_of_the_user_s_is_read(fake_tls_server, certificates, tmp_path, monkeypatch):
    """Not netrc, which requests knows; not docker's or podman's; with no HOME to look in."""
    host = fake_tls_server.host
    auths = json.dumps({'auths': {host: {'auth': base64.b64encode(b'u:p').decode()}}})
    (tmp_path / '.netrc').write_text('default login u password p\n')
    (tmp_path / '.netrc').chmod(0o600)
    for path in ('.docker/config.json', '.config/containers/auth.json', 'containers/auth.json'):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(auths)
    for name, value in {
        'HOME': tmp_path,
        'NETRC': tmp_path / '.netrc',
        'DOCKER_CONFIG': tmp_path / '.docker',
        'REGISTRY_AUTH_FILE': tmp_path / 'containers/auth.json',
        'XDG_RUNTIME_DIR': tmp_path,
        'DOCKER_AUTH_CONFIG': auths,
    }.items():
        monkeypatch.setenv(name, str(value))
    fake_tls_server.on(None, '.*', Answer(401, headers={'WWW-Authenticate': 'Basic realm="x"'}))
    environ = {'DXF_HOST': host, 'DXF_TLSVERIFY': certificates.ca}
    assert run_doit('list-aliases', 'a/b', environ=environ).code != 0
    assert fake_tls_server.requests
    assert all('Authorization' not in r.headers for r in fake_tls_server.requests)


def test_no_certificate_of_the_user_s_is_taken(tls, certificates, tmp_path, monkeypatch):
    """Nor those that are the user's own, where podman looks for them."""
    repo, environ = tls
    folder = tmp_path / '.config' / 'containers' / 'certs.d' / environ['DXF_HOST']
    folder.mkdir(parents=True)
    shutil.copy(certificates.ca, str(folder / 'ca.crt'))
    monkeypatch.setenv('HOME', str(tmp_path))
    with pytest.raises(requests.exceptions.SSLError):
        run_doit('push-blob', repo, empty(tmp_path), environ=environ)
