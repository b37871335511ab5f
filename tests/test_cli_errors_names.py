"""Names that the specification does not allow are refused before anything is sent."""

import pytest

from dxf.exceptions import DXFError
from dxf.main import doit

from .support.commandline import run_cli
from .support.complaints import complaint, run_main
from .support.plain import sha256

DIGEST = sha256(b'')

REPOSITORIES = [
    *('', 'UPPER', 'a//b', '/a', 'a/', '.', '..', '../a', 'a/../b', 'a b', 'a:b', 'a@b', 'größe'),
    *('-a', 'a-', '_a', 'a_', 'a..b', 'a___b', 'a._b', 'a/-b', 'a?n=1', 'a#b', 'a%2Fb', 'a\n'),
    *('a\tb', 'a' * 256, 'a/b/' + 'c' * 255),
]

ALIASES = [
    *('.a', '-a', 'a b', 'a/b', 'a+b', 'größe', 'a@b', 'a\n', 'a' * 129, 'a?b', 'a#b', '%61'),
    *('..', 'a\\b', '@a'),
]

DIGESTS = [
    *('sha256', 'sha256:', 'sha256:0', DIGEST[:-1], DIGEST + '0', DIGEST.upper(), DIGEST + '\n'),
    *('sha256:' + DIGEST[7:].upper(), 'sha256:' + 'g' * 64, DIGEST[7:], 'sha512:' + DIGEST[7:]),
    *(':' + DIGEST[7:], 'sha256:../../' + 'a' * 58, 'latest', 'SHA256:' + DIGEST[7:], ''),
    *(DIGEST.replace(':', ' '), DIGEST + '?x=y', 'sha256:' + 'é' * 64),
]

# What each command has a repository's name, an alias or a digest for.
WITH_REPOSITORY = [
    ['auth', '{}', 'pull'],
    ['push-blob', '{}', __file__],
    ['pull-blob', '{}', DIGEST],
    ['blob-size', '{}', DIGEST],
    ['mount-blob', '{}', 'c/d', DIGEST],
    ['mount-blob', 'a/b', '{}', DIGEST],
    ['del-blob', '{}', DIGEST],
    ['set-alias', '{}', 'latest', DIGEST],
    ['get-alias', '{}', 'latest'],
    ['del-alias', '{}', 'latest'],
    ['get-digest', '{}', 'latest'],
    ['get-manifest', '{}', 'latest'],
    ['list-aliases', '{}'],
]

WITH_NEW_ALIAS = [
    ['push-blob', 'a/b', __file__, '@{}'],
    ['mount-blob', 'a/b', 'c/d', DIGEST, '@{}'],
    ['set-alias', 'a/b', '{}', DIGEST],
]

WITH_ALIAS = [
    ['pull-blob', 'a/b', '@{}'],
    ['blob-size', 'a/b', '@{}'],
    ['del-blob', 'a/b', '@{}'],
    ['get-alias', 'a/b', '{}'],
    ['del-alias', 'a/b', '{}'],
    ['get-digest', 'a/b', '{}'],
    ['get-manifest', 'a/b', '{}'],
    # What comes before a wrong one is not sent either.
    ['pull-blob', 'a/b', DIGEST, '@latest', '@{}'],
    ['blob-size', 'a/b', DIGEST, '@latest', '@{}'],
    ['del-blob', 'a/b', DIGEST, '@latest', '@{}'],
    ['get-alias', 'a/b', 'latest', '{}'],
    ['del-alias', 'a/b', 'latest', '{}'],
    ['get-digest', 'a/b', 'latest', '{}'],
    ['get-manifest', 'a/b', 'latest', '{}'],
]

WITH_DIGEST = [
    ['pull-blob', 'a/b', '{}'],
    ['blob-size', 'a/b', '{}'],
    ['mount-blob', 'a/b', 'c/d', '{}'],
    ['del-blob', 'a/b', '{}'],
    ['set-alias', 'a/b', 'latest', '{}'],
    ['pull-blob', 'a/b', DIGEST, '@latest', '{}'],
    ['blob-size', 'a/b', DIGEST, '@latest', '{}'],
    ['del-blob', 'a/b', DIGEST, '@latest', '{}'],
    ['set-alias', 'a/b', 'latest', DIGEST, '{}'],
]


def ids(args):
    return ' '.join(word.partition(':')[0].rpartition('/')[2] for word in args)


def after_dashes(args, name):
    """The command line for a name, which may begin with a dash."""
    command, *rest = (word.replace('{}', name) for word in args)
    return [command, '--', *rest]


def refused(server, args, what):
    environ = {'DXF_HOST': server.host, 'DXF_INSECURE': '1'}
    with pytest.raises(DXFError) as e:
        doit(args, environ)
    assert f'invalid {what}' in str(e.value)
    assert server.requests == []


@pytest.mark.parametrize('args', WITH_REPOSITORY, ids=ids)
def test_repositories(fake_server, args):
    for name in REPOSITORIES:
        refused(fake_server, after_dashes(args, name), 'repository')


@pytest.mark.parametrize('args', WITH_NEW_ALIAS, ids=ids)
def test_aliases_to_be(fake_server, args):
    for name in [*ALIASES, 'a:b', DIGEST]:
        refused(fake_server, after_dashes(args, name), 'alias')


@pytest.mark.parametrize('args', WITH_ALIAS, ids=ids)
def test_aliases(fake_server, args):
    for name in ALIASES:
        refused(fake_server, after_dashes(args, name), 'alias')
    # What looks like a digest has to be one.
    for name in ('a:b:', ':', *(digest for digest in DIGESTS if ':' in digest)):
        refused(fake_server, after_dashes(args, name), 'digest')


@pytest.mark.parametrize('args', WITH_DIGEST, ids=ids)
def test_digests(fake_server, args):
    for name in DIGESTS:
        if args[0] == 'set-alias' and '/' in name:
            continue  # a file's path
        refused(fake_server, after_dashes(args, name), 'digest')


@pytest.mark.parametrize(
    ('args', 'name'),
    [
        (['list-aliases', 'Not/Allowed'], 'Not/Allowed'),
        (['push-blob', 'a/b', __file__, '@not allowed'], 'not allowed'),
        (['pull-blob', 'a/b', 'sha256:123'], 'sha256:123'),
        (['get-alias', 'a/b', 'größe'], 'größe'),
        (['list-aliases', 'two\nlines'], 'two'),
    ],
)
def test_what_a_user_reads(fake_server, args, name):
    environ = {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1'}
    text = complaint(run_main(*args, environ=environ))
    assert name in text
    # And what would be allowed.
    assert any(word in text for word in ('letters', 'hexadecimal'))


@pytest.mark.parametrize(
    'name', ['a', 'a1', '0', 'a.b', 'a_b', 'a__b', 'a---b', 'x/y/z', 'a' * 255]
)
def test_allowed_repositories(fake_server, name):
    environ = {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1'}
    # The server has no such thing, but it was asked.
    assert doit(['list-aliases', name], environ) == 2
    assert [request.path for request in fake_server.requests] == [f'/v2/{name}/tags/list']


@pytest.mark.parametrize('name', ['a', '_', '_.-', 'A.b_C-1', '1.0', 'x' * 128, 'latest'])
def test_allowed_aliases(fake_server, name):
    environ = {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1'}
    assert doit(['get-alias', 'a/b', name], environ) == 2
    assert [request.path for request in fake_server.requests] == [f'/v2/a/b/manifests/{name}']


@pytest.mark.parametrize(
    ('args', 'hint'),
    [
        (['pull-blob', 'a/b', 'latest'], 'an alias has an @ before it'),
        (['blob-size', 'a/b', 'latest'], 'an alias has an @ before it'),
        (['pull', 'a/b', 'latest'], 'an alias has an @ before it'),
        (['get-alias', 'a/b', '@latest'], 'no @ stands before it here'),
        (['del-alias', 'a/b', '@latest'], 'no @ stands before it here'),
        (['set-alias', 'a/b', '@latest', DIGEST], 'no @ stands before it here'),
        (['set-alias', 'a/b', 'new', 'file'], "a file's path has a / in it, as in ./name"),
    ],
)
def test_what_was_meant_instead(fake_server, args, hint):
    environ = {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1'}
    done = run_cli(*args, environ=environ)
    assert (done.returncode, done.stdout) == (1, b'')
    assert done.stderr.decode().rstrip().endswith(f'; {hint})')
    assert fake_server.requests == []


def test_a_digest_with_a_mistake_was_meant_as_one(fake_server):
    done = run_cli('pull-blob', 'a/b', 'sha256:abc', environ={'DXF_HOST': fake_server.host})
    assert b'@' not in done.stderr


def test_what_is_wrong_with_a_command_is_said_with_its_usage():
    for args in (['list-repos', '--json'], ['push-blob', 'a/b', 'file', 'alias']):
        done = run_cli(*args)
        assert done.returncode == 2
        assert done.stderr.startswith(f'usage: dxf {args[0]} '.encode())


@pytest.mark.parametrize(
    ('args', 'hint'),
    [
        (['pull-blob', '@none'], 'no such alias or manifest, or no such repository'),
        (['get-alias', 'none'], 'no such alias or manifest, or no such repository'),
        (['list-aliases'], 'no such repository: see list-repos'),
        (['blob-size', 'sha256:' + '0' * 64], 'no such blob in this repository'),
    ],
)
def test_what_is_not_there_is_named(registry_http, args, hint):
    done = run_cli(args[0], 'no/such', *args[1:], environ=registry_http.environ())
    assert (done.returncode, done.stdout) == (2, b'')
    assert b'Not Found' in done.stderr
    assert hint in done.stderr.decode()


def test_a_layout_is_called_what_it_is(tmp_path):
    done = run_cli('list-aliases', 'no/such', environ={'DXF_HOST': f'oci:{tmp_path}/store'})
    assert done.returncode == 2
    assert b'Not Found for url: oci:no/such/tags/list: ' in done.stderr
