"""What went wrong, in one line. The network errors are real ones, from the loopback."""

import errno
import re
import socket
import ssl
import threading

import pytest
import requests
from urllib3.connection import CertificateError
from urllib3.exceptions import MaxRetryError

from dxf import DXF, exceptions
from dxf.answers import check
from dxf.layout import BASE_URL
from dxf.retries import Retries
from dxf.transport import Credentials, Origin, Transport
from dxf.words import describe

from .support.fakeserver import Answer
from .support.plain import sha256
from .support.waiting import free_port


def failure(url, method='get', **kwargs):
    """The error that a request ends in."""
    kwargs.setdefault('timeout', 30)
    transport = Transport()
    try:
        check(transport.send(method, url, Credentials({}, Origin.of(url)), Retries(0), **kwargs))
    except Exception as error:
        return error
    finally:
        transport.close()
    return pytest.fail('it succeeded')


def no_such_host(*args, **kwargs):
    raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')


def test_a_closed_port():
    port = free_port()
    assert describe(failure(f'http://localhost:{port}/v2/')) == (
        f'localhost:{port}: connection refused; is a registry running there?'
    )


def test_a_page_of_another_server(fake_server):
    """It has no repositories that could be listed."""
    page = Answer(404, '<html>Nothing here</html>', {'Content-Type': 'text/html'})
    fake_server.on('GET', '.*', page)
    assert describe(failure(fake_server.url + '/v2/a/tags/list')).endswith(
        '/v2/a/tags/list (this does not look like a registry); check DXF_HOST'
    )


def test_what_a_registry_says_does_nothing_to_a_terminal(fake_server):
    errors = {'errors': [{'code': 'DENIED', 'message': 'no\x1b[31m\x9b2J\u202e way\x07'}]}
    fake_server.on('GET', '.*', Answer(409, errors, {'Content-Type': 'application/json'}))
    assert describe(failure(fake_server.url + '/v2/')).endswith('/v2/: DENIED: no?[31m?2J? way?')


def test_a_file_whose_name_is_no_text():
    error = FileNotFoundError(2, 'No such file or directory', 'größe\udcff')
    assert describe(error) == 'größe\udcff: No such file or directory'


def test_another_platform():
    assert describe(exceptions.DXFPlatformDataNotFound('linux/s390x')) == (
        'there is no data for platform linux/s390x; see list-platforms'
    )


def test_an_unknown_host(monkeypatch):
    monkeypatch.setattr(socket, 'getaddrinfo', no_such_host)
    assert describe(failure('https://nowhere.invalid/v2/')) == (
        'nowhere.invalid:443: unknown host; check DXF_HOST'
    )


def test_a_connection_that_is_cut_in_an_answer(fake_server):
    fake_server.on('GET', '.*', Answer(body=b'content', cut_after=3))
    error = failure(fake_server.url + '/v2/')
    assert describe(error) == (
        f'{fake_server.host}: the connection was cut in the midst of an answer'
    )


def test_an_answer_that_asks_for_no_credentials():
    """`auth` asks what takes any status, so that there is no address to show."""
    error = exceptions.DXFUnexpectedStatusCodeError(404, 401)
    assert describe(error) == f'{error}; is it a registry that DXF_HOST names?'


@pytest.mark.parametrize('name', ['tlsverify', 'tlscert', 'tlskey'])
def test_a_file_that_is_not_there(certificates, fake_tls_server, name):
    """requests tells by an error that has no number."""
    files = {'verify': certificates.ca, 'cert': (certificates.cert, certificates.key)}
    missing = '/no/such/file'
    files.update({
        'tlsverify': {'verify': missing},
        'tlscert': {'cert': (missing, certificates.key)},
        'tlskey': {'cert': (certificates.cert, missing)},
    }[name])  # fmt: skip
    error = failure(fake_tls_server.url + '/v2/', **files)
    assert isinstance(error, OSError)
    text = describe(error)
    assert missing in text
    assert 'Error' not in text
    assert fake_tls_server.requests == []


def test_a_silent_host():
    with socket.socket() as listening:
        listening.bind(('127.0.0.1', 0))
        listening.listen()
        port = listening.getsockname()[1]
        error = failure(f'http://localhost:{port}/v2/', timeout=0.2)
    assert isinstance(error, requests.exceptions.Timeout)
    assert describe(error) == f'localhost:{port}: no answer in time'


def test_a_host_that_falls_silent(fake_server):
    def body():
        yield b'x'
        done.wait(30)
        yield b'y'

    done = threading.Event()
    fake_server.on('GET', '/v2/', lambda request: Answer(body=body()))
    try:
        error = failure(fake_server.url + '/v2/', timeout=0.2)
    finally:
        done.set()
    assert describe(error) == f'{fake_server.host}: no answer in time'


def test_https_where_http_is_spoken(fake_server):
    error = failure(f'https://{fake_server.host}/v2/')
    assert isinstance(error, requests.exceptions.SSLError)
    assert describe(error) == (
        f'{fake_server.host}: it does not speak https; set DXF_INSECURE=1 if it speaks http'
    )


def test_http_where_https_is_spoken(registry_htpasswd):
    """Go's servers answer so; its text is theirs."""
    error = failure(f'http://{registry_htpasswd.host}/v2/')
    assert error.response.status_code == 400
    text = describe(error)
    assert text.startswith('400 Client Error: Bad Request for url: http://')
    assert text.endswith('; it speaks https: unset DXF_INSECURE')


def test_a_certificate_that_does_not_verify(fake_tls_server, other_certificates):
    error = failure(fake_tls_server.url + '/v2/', verify=other_certificates.ca)
    assert isinstance(error, requests.exceptions.SSLError)
    text = describe(error)
    assert text.startswith(f'{fake_tls_server.host}: its certificate does not verify: ')
    assert text.endswith('; set DXF_TLSVERIFY to the bundle of the CA that signed it')


def test_a_certificate_of_another_host(fake_tls_server, certificates, monkeypatch):
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, 'getaddrinfo', lambda host, *args, **kw: real('127.0.0.1', *args, **kw)
    )
    port = fake_tls_server.port
    text = describe(failure(f'https://elsewhere.invalid:{port}/', verify=certificates.ca))
    # How it is said is up to urllib3's version.
    assert re.match(f'elsewhere.invalid:{port}: .*elsewhere.invalid', text)
    assert 'match' in text


@pytest.mark.parametrize('kind', [ssl.SSLCertVerificationError, CertificateError])
def test_a_certificate_whose_names_urllib3_has_compared(kind):
    """Of its versions some raise Python's own error, without what OpenSSL says in it."""
    cause = kind("hostname 'a' doesn't match 'b'")
    text = describe(requests.exceptions.SSLError(MaxRetryError(None, 'https://a/', cause)))
    assert text == (
        "the registry: its certificate does not verify: mismatch: hostname 'a' doesn't match 'b'; "
        'it is for another host: check DXF_HOST'
    )


def test_a_host_that_hangs_up(fake_server):
    fake_server.on('GET', '/v2/', Answer(hang_up=True))
    text = describe(failure(fake_server.url + '/v2/'))
    assert text.startswith(f'{fake_server.host}: it closed the connection')


def test_a_host_that_speaks_something_else(fake_server):
    fake_server.on('GET', '/v2/', Answer(raw=b'SSH-2.0-OpenSSH_9.2\r\n'))
    text = describe(failure(fake_server.url + '/v2/'))
    assert text.startswith(f'{fake_server.host}: ')
    assert '\n' not in text


@pytest.mark.parametrize('url', ['http://localhost:99999/', 'http://[/', 'http://', 'ftp://x/'])
def test_what_is_no_address(url):
    text = describe(failure(url))
    assert '\n' not in text
    assert text


def test_a_refusal_by_the_registry(fake_server):
    fake_server.on(
        'GET',
        '/v2/',
        Answer(
            404,
            {
                'errors': [
                    {'code': 'NAME_UNKNOWN', 'message': 'repository name\nnot known to registry'}
                ]
            },
        ),
    )
    assert describe(failure(fake_server.url + '/v2/?token=secret')) == (
        f'404 Client Error: Not Found for url: {fake_server.url}/v2/: '
        'NAME_UNKNOWN: repository name not known to registry'
    )


def test_what_is_not_allowed(fake_server):
    fake_server.on(
        'GET',
        '/v2/',
        Answer(403, {'errors': [{'code': 'DENIED', 'message': 'requested access is denied'}]}),
    )
    assert describe(failure(fake_server.url + '/v2/')) == (
        f'403 Client Error: Forbidden for url: {fake_server.url}/v2/: '
        'DENIED: requested access is denied; these credentials are not allowed to do this'
    )


def test_what_is_not_allowed_in_a_folder():
    # There are no credentials that might be.
    answer = requests.Response()
    answer.status_code, answer.url, answer._content = 403, BASE_URL + 'v2/a/tags/list', b'x'
    assert describe(requests.HTTPError('403', response=answer)) == '403'


def test_what_is_wrong_with_a_folder_where_an_answer_has_no_body(tmp_path):
    for repository, words in (('a', 'there is no image layout in '), ('a/blobs', "be 'blobs': ")):
        with DXF(f'oci:{tmp_path}', repository) as client:
            with pytest.raises(requests.HTTPError) as raised:
                client.blob_size(sha256(b''))
        assert words in describe(raised.value)


def test_what_needs_credentials(fake_server):
    fake_server.on('GET', '/v2/', Answer(401))
    text = describe(failure(fake_server.url + '/v2/'))
    for words in ('unauthorized', 'DXF_USERNAME', 'DXF_PASSWORD', 'DXF_AUTHORIZATION'):
        assert words in text


def test_a_refusal_without_an_answer():
    assert describe(requests.exceptions.HTTPError('something')) == 'something'


def test_network_trouble_without_a_request():
    text = describe(requests.exceptions.ConnectionError('cut\nshort'))
    assert text == 'the registry: ConnectionError: cut short'


@pytest.mark.parametrize(
    'error',
    [
        exceptions.DXFNotARegistryError('http://localhost/', 'it is a web page'),
        exceptions.DXFMountFailed(),
        exceptions.DXFDigestMismatchError('a', 'b'),
        exceptions.DXFContentChangedError('a', 'b'),
        exceptions.DXFConfigurationError('DXF_HOST is not set'),
    ],
)
def test_dxf_s_own_errors_speak_for_themselves(error):
    assert describe(error) == str(error)


def test_a_name_with_a_newline_stays_in_its_line():
    text = describe(exceptions.DXFInvalidNameError('alias', 'a\nb', 'a rule'))
    assert '\n' not in text


def test_errors_of_files(tmp_path):
    for path, words in (
        (tmp_path / 'missing', 'No such file or directory'),
        (tmp_path, 'Is a directory'),
    ):
        with pytest.raises(OSError) as e:
            path.read_bytes()
        assert describe(e.value) == f'{path}: {words}'


def test_errors_of_the_system_without_a_file():
    assert describe(OSError(errno.ENOSPC, 'No space left on device')) == 'No space left on device'
    assert describe(OSError('odd')) == 'odd'


@pytest.mark.parametrize(
    ('error', 'text'),
    [
        (ValueError('a\n\n  b'), 'ValueError: a b'),
        (RuntimeError(), 'RuntimeError:'),
        (
            UnicodeDecodeError('utf-8', b'\xff', 0, 1, 'invalid start byte'),
            "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: "
            'invalid start byte',
        ),
    ],
)
def test_what_nobody_thought_of(error, text):
    assert describe(error) == text


def test_secrets_are_not_told(fake_server):
    fake_server.on('GET', '/v2/', Answer(500))
    for error in (
        failure(f'http://fred:secret@{fake_server.host}/v2/?_state=secret'),
        failure(f'http://fred:secret@localhost:{free_port()}/v2/?_state=secret'),
    ):
        assert 'secret' not in describe(error)


@pytest.mark.parametrize(
    'cause', [OSError(errno.EHOSTUNREACH, 'No route to host'), OSError('something odd')]
)
def test_a_signed_address_is_not_told(monkeypatch, cause):
    def connect(*_):
        raise cause

    monkeypatch.setattr(socket.socket, 'connect', connect, raising=False)
    text = describe(failure('https://localhost:1/v2/?X-Signature=secret'))
    assert text.startswith('localhost:1: ConnectionError: ')
    assert (cause.strerror or 'something odd') in text
    assert 'secret' not in text


def test_an_error_that_is_its_own_cause():
    error = requests.exceptions.ConnectionError('x')
    other = ssl.SSLError('y')
    error.__cause__, other.__cause__ = other, error
    assert describe(error) == 'the registry: ConnectionError: x'
