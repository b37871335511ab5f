"""`dxf copy`: what it prints, and where it goes with what."""

import json

import pytest

from dxf.exceptions import DXFConfigurationError, DXFInvalidNameError
from dxf.settings import Settings

from .support.artifacts import artifact, layer
from .support.client import OCI_MANIFEST, entry, index
from .support.flavours import Flavour
from .support.layouts import LayoutFlavour, LayoutPlain, check_layout
from .support.logins import auth
from .support.plain import SCHEMA2, PlainClient, descriptor, sha256
from .support.shell import Shell, run_doit, run_process

OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
D = sha256(b'')


@pytest.fixture(scope='module')
def elsewhere(make_registry):
    return Flavour('elsewhere', make_registry(), insecure=True)


def to(flavour):
    """The variables by which a flavour is the one to copy to."""
    return {name.replace('DXF_', 'DXF_TO_', 1): value for name, value in flavour.environ().items()}


def line(text):
    return sha256(text.encode()).encode() + b'\n'


def test_within_a_registry(shell, repo, plain, registry):
    text = plain.push_alias('v1', b'one', b'two')
    assert shell.out('copy', repo, '@v1', repo + '/b') == line(text)
    assert shell.out('copy', repo, '@v1', repo + '/b', '@v2') == line(text)
    assert shell.out('copy', repo, sha256(text.encode()), repo + '/c') == line(text)
    assert shell.out('copy', repo, '@v1', repo, '@v3') == line(text)
    with PlainClient(registry, repo + '/b') as other:
        assert other.get_manifest('v1').text == other.get_manifest('v2').text == text
        assert other.get_blob(sha256(b'two')).content == b'two'
    with PlainClient(registry, repo + '/c') as other:
        assert other.get_manifest(sha256(text.encode())).text == text
    assert plain.get_manifest('v3').text == text


def test_to_another_registry(shell, repo, plain, elsewhere):
    """By an option or by a variable, without the credentials of the first."""
    text = plain.push_alias('v1', b'one', b'two')
    there = to(elsewhere)
    assert shell.out('copy', repo, '@v1', repo, **there) == line(text)
    del there['DXF_TO_HOST']
    assert shell.out('copy', '--to', elsewhere.host, repo, '@v1', repo, '@v2', **there) == line(
        text
    )
    with PlainClient(elsewhere, repo) as other:
        assert other.get_manifest('v1').text == other.get_manifest('v2').text == text


def test_from_another_registry(registry, repo, elsewhere):
    """Its credentials are its own variables."""
    with PlainClient(elsewhere, elsewhere.new_repo()) as one, PlainClient(registry, repo) as other:
        text = one.push_alias('v1', b'one', b'two')
        shell = Shell(run_doit, {**elsewhere.environ(), **to(registry)})
        assert shell.out('copy', one.repo, '@v1', repo) == line(text)
        assert other.get_manifest('v1').text == text


def test_credentials_for_one_are_not_for_the_other(registry_htpasswd, elsewhere):
    """The second registry wants some, and has none: the first one's are not shown to it."""
    flavour = registry_htpasswd
    with PlainClient(elsewhere, elsewhere.new_repo()) as one:
        one.push_alias('v1', b'one')
        variables = {**elsewhere.environ(), **to(flavour)}
        for name in ('USERNAME', 'PASSWORD'):
            variables['DXF_' + name] = variables.pop('DXF_TO_' + name)
        code, out, err = Shell(run_doit, variables)('copy', one.repo, '@v1', 'any/where')
        assert (code, out) == (13, b'')
        assert b'unauthorized' in err
        assert f'those for {flavour.host} begin with DXF_TO_' in err.decode()


def test_what_is_wrong_with_the_other_names_its_variables(registry_http, tmp_path):
    """What the first one's are called would be of no help."""
    with LayoutPlain(LayoutFlavour(tmp_path), 'a') as plain:
        plain.push_alias('v1', b'one')
    shell = Shell(run_process, {'DXF_HOST': f'oci:{tmp_path}'})
    words = ('copy', 'a', '@v1', 'any/where', '--to', registry_http.host)
    code, out, err = shell(*words)
    assert (code, out) == (1, b'')
    assert b'does not speak https; set DXF_INSECURE=1' in err
    assert f' (those for {registry_http.host} begin with DXF_TO_)\n' in err.decode()
    shell.out(*words, DXF_TO_INSECURE='1')


def test_credentials_of_docker(registry_htpasswd, elsewhere, tmp_path):
    login = auth(registry_htpasswd.username, registry_htpasswd.password)
    config = {'auths': {registry_htpasswd.host: {'auth': login}}}
    (tmp_path / 'config.json').write_text(json.dumps(config))
    repo = registry_htpasswd.new_repo()
    with PlainClient(elsewhere, elsewhere.new_repo()) as one:
        text = one.push_alias('v1', b'one')
        variables = {
            **elsewhere.environ(),
            'DXF_TO_HOST': registry_htpasswd.host,
            'DXF_TO_TLSVERIFY': registry_htpasswd.ca,
            'DOCKER_CONFIG': str(tmp_path),
        }
        assert Shell(run_doit, variables).out('copy', one.repo, '@v1', repo) == line(text)


def test_to_a_layout_and_back(registry_http, tmp_path):
    repo = registry_http.new_repo()
    layouts = LayoutFlavour(tmp_path / 'backup')
    shell = Shell(run_process, {**registry_http.environ(), 'DXF_PROGRESS': '0'})
    with PlainClient(registry_http, repo) as plain, LayoutPlain(layouts, 'a/b') as kept:
        text = plain.push_alias('v1', b'one', b'two')
        about = artifact(layer(b'one', 'about'), subject=descriptor(text.encode(), SCHEMA2))
        plain.push_blob(b'{}')
        digest = plain.push_manifest(sha256(about.encode()), about, OCI_MANIFEST)
        tag = sha256(text.encode()).replace(':', '-')
        plain.push_manifest(tag, index(entry(about)), OCI_INDEX)
        there = ('--to', f'oci:{tmp_path}/backup')
        assert shell.out('copy', repo, '@v1', 'a/b', '--referrers', *there) == line(text)
        check_layout(tmp_path / 'backup' / 'a' / 'b')
        assert kept.get_manifest(digest).text == about
        back = {**to(registry_http), 'DXF_HOST': layouts.host}
        assert shell.out('copy', 'a/b', '@v1', repo, '@back', **back) == line(text)
        assert plain.get_manifest('back').text == text


def test_progress(registry_http, tmp_path):
    repo = registry_http.new_repo()
    shell = Shell(run_doit, {**registry_http.environ(), 'DXF_PROGRESS': '1'})
    with PlainClient(registry_http, repo) as plain:
        text = plain.push_alias('v1', b'one')
    words = ('copy', '--to', f'oci:{tmp_path}/backup', repo, '@v1', 'a')
    code, out, err = shell(*words)
    assert (code, out) == (0, line(text))
    assert b'100%' in err
    assert sha256(b'one')[:8].encode() in err
    assert shell('copy', '-q', *words[1:5], 'b') == (0, line(text), b'')


@pytest.mark.parametrize(
    ('words', 'complaint'),
    [
        (['a'], b'too few arguments'),
        (['a', '@v1'], b'too few arguments'),
        (['a', '@v1', 'b', 'v2'], b"invalid alias: 'v2'"),
        (['a', '@v1', 'b', '@v2', '@v3'], b'too many arguments'),
        (['a', '@v1', 'b', '--to'], b'expected one argument'),
    ],
)
def test_usage(words, complaint):
    code, out, err = run_doit('copy', *words, environ={'DXF_HOST': 'registry.invalid'})
    assert (code, out) == (2, b'')
    assert complaint in err


@pytest.mark.parametrize(
    'words',
    [['a', 'v1', 'b'], ['a', '@v1', 'B'], ['a', '@v1', 'b', '@-'], ['a', '@v1', '@b'],
     ['a', '@v1', 'b', '--to', 'https://host']],
)  # fmt: skip
def test_names_that_are_none(words):
    with pytest.raises(DXFInvalidNameError):
        run_doit('copy', *words, environ={'DXF_HOST': 'registry.invalid'})


# Settings


def test_the_other_registry_has_its_own_variables():
    one = {
        'HOST': 'one', 'INSECURE': '1', 'INSECURE_AUTH': '1', 'USERNAME': 'u', 'PASSWORD': 'p',
        'AUTHORIZATION': 'a', 'TOKEN': 't', 'AUTH_HOST': 'h', 'TLSVERIFY': 'v', 'TLSCERT': 'c',
        'TLSKEY': 'k',
    }  # fmt: skip
    common = {'DXF_TIMEOUT': '7', 'DXF_RETRIES': '3', 'DXF_UPLOAD_CHUNK_SIZE': '9'}
    own = {f'DXF_{name}': value for name, value in one.items()}
    settings = Settings.of({**own, **common})
    assert settings.elsewhere() is settings
    there = settings.elsewhere('two')
    assert there.host == 'two'
    assert there.client == {'timeout': 7, 'retries': 3, 'upload_chunk_size': 9}
    assert not there.insecure
    assert there.tlsverify is True
    assert {there.username, there.password, there.authorization, there.token} == {None}
    assert there.auth_host is None
    other = {f'DXF_TO_{name}': value + '2' for name, value in one.items()}
    there = Settings.of({**own, **common, **other, 'DXF_TO_SKIPTLSVERIFY': '1'}).elsewhere()
    assert (there.host, there.username, there.password) == ('one2', 'u2', 'p2')
    assert (there.authorization, there.token, there.auth_host) == ('a2', 't2', 'h2')
    assert (there.tlsverify, there.insecure) == (False, False)
    assert (there.client['tlscert'], there.client['tlskey']) == ('c2', 'k2')


@pytest.mark.parametrize(
    ('variables', 'complaint'),
    [
        ({'DXF_TO_TOKEN': 'a\nb'}, "DXF_TO_TOKEN can't be sent"),
        ({'DXF_TO_TLSKEY': 'k'}, 'DXF_TO_TLSKEY is set without DXF_TO_TLSCERT'),
        ({'DXF_TO_PASSWORD': '\udcff'}, 'DXF_TO_PASSWORD is not UTF-8'),
    ],
)
def test_complaints_name_the_variable(variables, complaint):
    settings = Settings.of({'DXF_HOST': 'one', 'DXF_TO_HOST': 'two', **variables})
    with pytest.raises(DXFConfigurationError, match=complaint):
        settings.elsewhere()


def test_a_password_in_a_file(tmp_path):
    path = tmp_path / 'password'
    path.write_bytes(b'secret\n')
    environ = {'DXF_HOST': 'one', 'DXF_TO_HOST': 'two', 'DXF_TO_PASSWORD_FILE': str(path)}
    assert Settings.of(environ).elsewhere().password == 'secret'
    path.write_bytes(b'\xff')
    with pytest.raises(DXFConfigurationError, match='DXF_TO_PASSWORD_FILE is'):
        Settings.of(environ).elsewhere()
