"""What `doit` lets through: programs call it, and catch what the client raises."""

import errno
import json

import pytest
import requests

import dxf
from dxf import exceptions
from dxf.main import doit

from .support.fakeserver import Answer
from .support.plain import SCHEMA2, PlainClient, image_config, schema2, sha256
from .support.shell import run_doit
from .support.waiting import free_port

CONTENT = b'some content'
DIGEST = sha256(CONTENT)


@pytest.fixture
def environ(fake_server):
    return {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1', 'DXF_RETRIES': '0'}


@pytest.mark.parametrize('status', [400, 403, 405, 409, 429, 500, 503])
def test_what_a_registry_refuses(fake_server, environ, status):
    fake_server.on(None, '.*', Answer(status))
    with pytest.raises(requests.exceptions.HTTPError) as e:
        doit(['list-aliases', 'a/b'], environ)
    assert e.value.response.status_code == status


@pytest.mark.parametrize('challenge', [None, 'Basic realm="r"', 'Negotiate', 'Bearer', '???'])
def test_a_401_is_an_exit_code(fake_tls_server, certificates, capsys, challenge):
    """Whatever it says of how to authenticate."""
    headers = {} if challenge is None else {'WWW-Authenticate': challenge}
    fake_tls_server.on(None, '.*', Answer(401, headers=headers))
    environ = {'DXF_HOST': fake_tls_server.host, 'DXF_TLSVERIFY': certificates.ca}
    assert doit(['list-aliases', 'a/b'], environ) == errno.EACCES
    out, err = capsys.readouterr()
    assert out == ''
    assert len(err.splitlines()) == 1


def test_a_404_is_an_exit_code(fake_server, environ, capsys):
    fake_server.on(None, '/v2/a/b/.*', Answer(404))
    assert doit(['list-aliases', 'a/b'], environ) == errno.ENOENT
    assert 'Not Found' in capsys.readouterr().err
    fake_server.on(
        None, '/v2/a/b/.*', Answer(404, {'errors': [{'code': 'NAME_UNKNOWN', 'message': 'no'}]})
    )
    assert doit(['list-aliases', 'a/b'], environ) == errno.ENOENT
    err = capsys.readouterr().err
    assert 'Not Found' in err
    assert 'NAME_UNKNOWN' in err


def test_network_trouble(fake_server):
    environ = {'DXF_HOST': f'localhost:{free_port()}', 'DXF_INSECURE': '1'}
    with pytest.raises(requests.exceptions.ConnectionError):
        doit(['list-repos'], environ)
    with pytest.raises(requests.exceptions.SSLError):
        doit(['list-repos'], {'DXF_HOST': fake_server.host})


@pytest.mark.parametrize('command', [['push-blob', 'a/b'], ['set-alias', 'a/b', 'latest']])
def test_files(environ, tmp_path, command):
    with pytest.raises(FileNotFoundError):
        doit([*command, str(tmp_path / 'missing')], environ)
    with pytest.raises(IsADirectoryError):
        doit([*command, str(tmp_path)], environ)


def test_a_blob_that_is_another(fake_server, environ):
    fake_server.on('GET', '/v2/a/b/blobs/.*', Answer(body=b'something else'))
    with pytest.raises(exceptions.DXFDigestMismatchError) as e:
        run_doit('pull-blob', 'a/b', DIGEST, environ=environ)
    assert e.value.expected == DIGEST


@pytest.mark.parametrize('status', [200, 202, 204])
def test_a_mount_that_fails(fake_server, environ, status):
    fake_server.on('POST', '/v2/a/b/blobs/uploads/', Answer(status, headers={'Location': '/u'}))
    with pytest.raises(exceptions.DXFMountFailed):
        run_doit('mount-blob', 'a/b', 'c/d', DIGEST, '@latest', environ=environ)
    # No alias of what is not there.
    assert fake_server.seen('PUT') == []


def test_a_mount_from_a_repository_that_has_no_such_blob(registry_http):
    repo = registry_http.new_repo()
    with pytest.raises(exceptions.DXFMountFailed):
        run_doit('mount-blob', repo, 'c/d', DIGEST, '@latest', environ=registry_http.environ())
    assert run_doit('get-alias', repo, 'latest', environ=registry_http.environ()).code == 2


@pytest.mark.parametrize(
    'command', ['pull-blob', 'blob-size', 'del-blob', 'get-alias', 'get-digest']
)
@pytest.mark.parametrize(
    'stdin', [b'', b'\n', b'no JSON', b'[]', b'"x"', b'{"schemaVersion": 2, "layers": [', b'\xff']
)
def test_no_manifest_on_stdin(fake_server, environ, command, stdin):
    with pytest.raises(exceptions.DXFError):
        run_doit(command, 'a/b', environ=environ, stdin=stdin)
    assert fake_server.requests == []


@pytest.mark.parametrize('command', ['pull-blob', 'blob-size', 'del-blob', 'get-alias'])
def test_a_manifest_on_stdin_that_is_broken(fake_server, environ, command):
    """All of it is looked at before anything is fetched, deleted or printed."""
    manifest = json.loads(schema2(CONTENT, CONTENT, b'2'))
    del manifest['layers'][1]['digest']
    with pytest.raises(exceptions.DXFError, match='digest'):
        run_doit(command, 'a/b', environ=environ, stdin=json.dumps(manifest).encode())
    assert fake_server.requests == []


def test_a_manifest_of_schema_1_has_no_config(registry_schema1):

    config = image_config(CONTENT)
    with PlainClient(registry_schema1, registry_schema1.new_repo()) as plain:
        plain.push_blob(config)
        plain.push_blob(CONTENT)
        plain.push_manifest('latest', schema2(config, CONTENT))
        text = plain.repo_request('GET', 'manifests/latest').content
        environ = registry_schema1.environ()
        assert json.loads(text)['schemaVersion'] == 1
        with pytest.raises(exceptions.DXFDigestNotAvailableForSchema1):
            run_doit('get-digest', plain.repo, environ=environ, stdin=text)
        out = run_doit('get-alias', plain.repo, environ=environ, stdin=text).out
        assert DIGEST.encode() in out.splitlines()
        # Its sizes are not in it.
        assert run_doit('blob-size', plain.repo, environ=environ, stdin=text).code == 0


def test_an_unknown_media_type(fake_server, environ):
    odd = {'schemaVersion': 2, 'mediaType': 'application/x-odd'}
    fake_server.on(
        'GET', '/v2/a/b/manifests/.*', Answer(body=odd, headers={'Content-Type': SCHEMA2})
    )
    for command, alias in (('get-alias', 'x'), ('get-digest', 'x'), ('pull-blob', '@x')):
        with pytest.raises(exceptions.DXFUnsupportedSchemaType, match='application/x-odd'):
            run_doit(command, 'a/b', alias, environ=environ)


def test_ctrl_c(monkeypatch):
    """A program's own handler sees it."""

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(dxf, 'DXF', interrupt)
    with pytest.raises(KeyboardInterrupt):
        doit(['list-aliases', 'a/b'], {'DXF_HOST': 'registry.example'})


def test_a_pipe_that_is_closed(monkeypatch, fake_server, environ):
    class Out:
        def write(self, text):
            raise BrokenPipeError(errno.EPIPE, 'Broken pipe')

        def flush(self):
            pass

    fake_server.on('GET', '/v2/a/b/tags/list', Answer(body={'tags': ['latest']}))
    monkeypatch.setattr('sys.stdout', Out())
    with pytest.raises(BrokenPipeError):
        doit(['list-aliases', 'a/b'], environ)
