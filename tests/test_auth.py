"""Challenges picked apart, and tokens out of whatever a token service answers."""

import base64
import contextlib
import json
import time
import urllib.parse

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from dxf import auth
from dxf.exceptions import DXFError, DXFMalformedChallengeError, DXFTokenError

ASKED = 'https://registry:5000/v2/a/tags/list'


def answer(header=None):
    """A registry's 401."""
    response = requests.Response()
    response.status_code = 401
    response.url = ASKED
    if header is not None:
        response.headers['WWW-Authenticate'] = header
    return response


def challenge(header):
    return auth.challenge(answer(header))


def parameters(text):
    """What an address asks for, in order."""
    return urllib.parse.parse_qsl(urllib.parse.urlsplit(text).query, keep_blank_values=True)


# Challenges


@pytest.mark.parametrize(
    ('header', 'scheme', 'expected'),
    [
        (
            'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",'
            'scope="repository:library/ubuntu:pull"',
            'bearer',
            {
                'realm': 'https://auth.docker.io/token',
                'service': 'registry.docker.io',
                'scope': 'repository:library/ubuntu:pull',
            },
        ),
        ('Basic realm="a realm"', 'basic', {'realm': 'a realm'}),
        ('bearer REALM="https://a/"', 'bearer', {'realm': 'https://a/'}),
        ('BEARER realm="https://a/"', 'bearer', {'realm': 'https://a/'}),
        ('Bearer realm=x', 'bearer', {'realm': 'x'}),
        ('Bearer  realm="https://a/" , service="b"', 'bearer',
         {'realm': 'https://a/', 'service': 'b'}),
        # A comma and an equals sign within a parameter.
        ('Bearer realm="https://a/?b=c,d",scope="repository:a:pull,push"', 'bearer',
         {'realm': 'https://a/?b=c,d', 'scope': 'repository:a:pull,push'}),
        ('Bearer realm="https://a/",scope=""', 'bearer', {'realm': 'https://a/'}),
        ('Bearer realm="https://a/",service="",scope="x"', 'bearer',
         {'realm': 'https://a/', 'scope': 'x'}),
        ('Basic', 'basic', {}),
        ('Basic realm=""', 'basic', {}),
    ],
)  # fmt: skip
def test_a_challenge(header, scheme, expected):
    found = challenge(header)
    assert found.scheme == scheme
    assert {name: found.parameters[name] for name in expected} == expected
    assert set(found.parameters) == set(expected)


@pytest.mark.parametrize(
    'header',
    [
        'Bearer realm="https://a/", Basic realm="b"',
        'Basic realm="b", Bearer realm="https://a/"',
        'Negotiate, Basic realm="b", Bearer realm="https://a/"',
        'Digest realm="x", nonce="y", Bearer realm="https://a/"',
        'Negotiate YIIB+/w==, Bearer realm="https://a/"',
        'Bearer realm="https://a/", Negotiate YIIB',
        ',, Bearer realm="https://a/",,service="b",',
        'Bearer realm="",realm=https://a/,service=b',
    ],
)
def test_bearer_wins(header):
    found = challenge(header)
    assert (found.scheme, found.parameters['realm']) == ('bearer', 'https://a/')


@pytest.mark.parametrize(
    'header',
    [
        'Bearer, Basic realm="b"',
        'Basic realm="b", Bearer scope="c"',
        'Bearer realm="https://[", Basic realm="b"',
        'Bearer realm="ftp://a/", Basic realm="b"',
    ],
)
def test_a_bearer_that_names_nobody_does_not(header):
    found = challenge(header)
    assert (found.scheme, found.parameters['realm']) == ('basic', 'b')


def test_a_bearer_that_names_nobody_is_found_where_there_is_nothing_else():
    assert challenge('Bearer scope="c"').scheme == 'bearer'


def test_what_is_escaped():
    found = challenge(r'Bearer realm="https://a/",service="a \"b\", \\c"')
    assert found.parameters['service'] == r'a "b", \c'


@pytest.mark.parametrize('piece', [
    'a', 'a-', '"', '\\', '"\\', ', ', ' ', 'a ', 'a="",', 'a=', '="', 'Bearer ', 'a="b" ', 'a=b,',
    '=',
])  # fmt: skip
def test_a_long_header_is_read_in_time(piece):
    """As much as a header may be: what takes time in proportion takes no second."""
    for beginning in ('', 'Bearer realm="', 'Bearer '):
        with contextlib.suppress(DXFMalformedChallengeError):
            challenge(beginning + piece * (65000 // len(piece)))


@pytest.mark.parametrize('header', [None, ''])
def test_no_challenge(header):
    with pytest.raises(DXFMalformedChallengeError, match='it has no WWW-Authenticate header'):
        challenge(header)


@pytest.mark.parametrize('header', ['Negotiate', 'Digest realm="x", nonce="y"', 'Token realm="x"'])
def test_a_challenge_that_cannot_be_met(header):
    with pytest.raises(DXFMalformedChallengeError, match='neither Bearer nor Basic'):
        challenge(header)


@pytest.mark.parametrize(
    'header',
    [
        ' ',
        ',',
        '=',
        '"',
        'Bearer realm="https://a/',
        'Bearer realm=',
        'Bearer =,=',
        'Bearer realm="a" realm="b" junk',
        'Bearer realm="a",,,,"',
        'Bearer, Bearer',
        'Bearer realm="a", Bearer realm="b"',
        'Bearer realm="\\',
        'realm="https://a/"',
        '\xe4\xf6\xfc',
        'Basic Basic Basic',
        'Bearer ' + '"' * 1000,
        'Bearer abcd=',
        'Bearer abcd==, Basic realm="x"',
    ],
)
def test_a_malformed_challenge(header):
    try:
        found = challenge(header)
    except DXFMalformedChallengeError as error:
        assert isinstance(error, ValueError)
    else:
        assert found.scheme in ('bearer', 'basic')


# What headers are made of, put together as they should not be.
pieces = st.sampled_from(
    ['Bearer', 'Basic', 'bearer', 'Digest', 'realm', 'service', 'scope', '=', '"', ',', ' ', '\\',
     'https://a/token', 'http://[', 'x', '""', '="', '",', ', ', '==', 'repository:a:pull,push',
     '\t', ';', 'realm="https://a/"', 'scope=""', '\xe4', "'"]
)  # fmt: skip
headers = st.lists(pieces, max_size=12).map(''.join) | st.text(
    st.characters(min_codepoint=9, max_codepoint=255), max_size=100
)


@given(headers)
@example('Bearer realm="https://[/"')
@example('Bearer realm="https://a:b/"')
@example('Bearer realm="https://a:99999/"')
@example('Bearer realm="http://"')
@example('Bearer realm="//"')
@example('Bearer realm=":"')
@example('Bearer token68==')
@example('Bearer realm="a"; b="c"')
@example('Bearer realm="\xb2"')
def test_no_header_raises_another_error(header):
    """From the header to the address that a token is asked of."""
    try:
        found = challenge(header)
        assert found.scheme in ('bearer', 'basic')
        assert all(isinstance(part, str) for pair in found.parameters.items() for part in pair)
        wanted = auth.scopes(found, 'a', None)
        if found.scheme == 'bearer':
            realm = auth.realm_url(found, ASKED, None)
            assert auth.token_url(realm, found, wanted).startswith('https://')
    except DXFMalformedChallengeError:
        pass


@given(
    st.dictionaries(
        st.sampled_from(['realm', 'service', 'scope']),
        st.text(
            st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"\\'),
            min_size=1,
        ),
    )
)
def test_well_formed_challenges_are_understood(expected):
    header = 'Bearer ' + ','.join(f'{name}="{value}"' for name, value in expected.items())
    if not expected:
        header = 'Bearer'
    assert challenge(header) == auth.Challenge('bearer', expected)


def test_scopes_of_a_challenge():
    found = challenge('Bearer realm="https://a/",scope="repository:a:pull repository:b:pull,push"')
    assert found.scopes == ['repository:a:pull', 'repository:b:pull,push']
    assert challenge('Bearer realm="https://a/"').scopes == []


# Basic


@pytest.mark.parametrize(
    ('username', 'password', 'expected'),
    [
        ('Aladdin', 'open sesame', 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='),
        ('test', '123\xa3', 'Basic dGVzdDoxMjPCow=='),
        ('', '', 'Basic Og=='),
        (b'a', b'b', 'Basic YTpi'),
    ],
)
def test_basic(username, password, expected):
    """The first two are RFC 7617's own examples."""
    assert auth.basic(username, password) == expected


@given(st.text(), st.text())
def test_basic_is_utf_8(username, password):
    scheme, _, encoded = auth.basic(username, password).partition(' ')
    assert base64.b64decode(encoded).decode() == f'{username}:{password}'
    assert scheme == 'Basic'
    assert '\n' not in encoded


# Scopes

OFFERED = auth.Challenge('bearer', {'scope': 'repository:x:pull repository:y:pull'})
BARE = auth.Challenge('bearer', {})


@pytest.mark.parametrize(
    ('offered', 'repository', 'actions', 'expected'),
    [
        (OFFERED, 'a/b', ['pull', 'push'], ['repository:a/b:pull,push']),
        (OFFERED, 'a/b', ('pull',), ['repository:a/b:pull']),
        (OFFERED, 'a/b', 'push', ['repository:a/b:push']),
        (OFFERED, 'a/b', ['*'], ['repository:a/b:*']),
        (BARE, 'a/b', ['pull'], ['repository:a/b:pull']),
        *((OFFERED, 'a/b', none, ['repository:x:pull', 'repository:y:pull'])
          for none in (None, [], '', ())),
        (OFFERED, None, ['pull'], ['repository:x:pull', 'repository:y:pull']),
        (OFFERED, None, None, ['repository:x:pull', 'repository:y:pull']),
        (BARE, 'a/b', None, []),
        (BARE, None, None, ['registry:catalog:*']),
        (BARE, None, ['pull'], ['registry:catalog:*']),
        (BARE, '', None, ['registry:catalog:*']),
    ],
)  # fmt: skip
def test_scopes(offered, repository, actions, expected):
    assert auth.scopes(offered, repository, actions) == expected


# Where tokens are asked for


def token_url(realm, asked=ASKED, wanted=(), auth_host=None, **others):
    offered = auth.Challenge('bearer', {'realm': realm, **others})
    return auth.token_url(auth.realm_url(offered, asked, auth_host), offered, list(wanted))


@pytest.mark.parametrize(
    ('realm', 'expected'),
    [
        ('https://auth/token', 'https://auth/token'),
        # Always by https.
        ('http://auth/token', 'https://auth/token'),
        ('http://auth:8080/token', 'https://auth:8080/token'),
        ('HTTPS://auth/token', 'https://auth/token'),
        ('https://auth/token?a=b&c=%20', 'https://auth/token?a=b&c=%20'),
        ('https://auth/token#fragment', 'https://auth/token'),
        ('https://auth', 'https://auth'),
        ('https://[::1]:5001/token', 'https://[::1]:5001/token'),
        # No credentials but the caller's own.
        ('https://user:password@auth/token', 'https://auth/token'),
        # Relative to what was asked.
        ('/token', 'https://registry:5000/token'),
        ('//auth/token', 'https://auth/token'),
    ],
)
def test_a_token_s_address(realm, expected):
    assert token_url(realm) == expected


def test_a_token_s_address_is_https_even_if_the_registry_is_not():
    assert token_url('/token', asked='http://registry:5000/v2/') == 'https://registry:5000/token'


def test_what_a_token_is_asked_for():
    url = token_url(
        'https://auth/token?account=fred',
        service='a registry',
        wanted=['repository:a:pull,push', 'repository:b/c:*'],
    )
    assert parameters(url) == [
        ('account', 'fred'),
        ('service', 'a registry'),
        ('scope', 'repository:a:pull,push'),
        ('scope', 'repository:b/c:*'),
    ]


def test_nothing_else_is_asked_for():
    assert parameters(token_url('https://auth/token')) == []
    assert parameters(token_url('https://auth/token', error='x', scope='y')) == []
    assert parameters(token_url('https://auth/token', service='s')) == [('service', 's')]


@pytest.mark.parametrize('host', ['other', 'other:123', '[::1]:123'])
def test_another_host_s_tokens(host):
    """The path and the query stay the realm's."""
    for realm in ('https://auth:99/a/token?b=c', 'http://auth/a/token?b=c', '/a/token?b=c'):
        assert token_url(realm, auth_host=host) == f'https://{host}/a/token?b=c'


@pytest.mark.parametrize(
    'realm',
    ['https://[/token', 'https://auth:port/', 'https://auth:99999/', 'http://', 'http:///token',
     'ftp://auth/token', 'file:///etc/passwd', 'javascript:x', 'https://user@/'],
)  # fmt: skip
def test_a_realm_that_is_no_address(realm):
    with pytest.raises(DXFMalformedChallengeError, match='its realm is no URL'):
        token_url(realm)


@pytest.mark.parametrize(
    'realm', ['https://fred:secret@a\u2100/', 'https://fred:secret/', 'https://[secret/']
)
def test_a_realm_that_is_no_url_is_not_cited(realm):
    found = auth.Challenge('bearer', {'realm': realm})
    with pytest.raises(DXFMalformedChallengeError, match='its realm is no URL') as e:
        auth.realm_url(found, ASKED, None)
    assert (e.value.__cause__, e.value.__context__) == (None, None)


@pytest.mark.parametrize('offered', [{}, {'realm': ''}])
def test_no_realm(offered):
    with pytest.raises(DXFMalformedChallengeError, match='it names no realm'):
        auth.realm_url(auth.Challenge('bearer', offered), ASKED, None)


# Token services' replies


def reply(content, url='https://auth/token?service=secret'):
    response = requests.Response()
    response.status_code = 200
    response.url = url
    response._content = content if isinstance(content, bytes) else content.encode()
    return response


def token(content, **kwargs):
    text = content if isinstance(content, (str, bytes)) else json.dumps(content)
    return auth.read_reply(reply(text, **kwargs)).token


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        ({'token': 'a'}, 'a'),
        ({'access_token': 'b'}, 'b'),
        ({'token': 'a', 'access_token': 'b'}, 'b'),
        ({'token': 'a', 'access_token': ''}, 'a'),
        ({'token': 'a', 'access_token': None}, 'a'),
        ({'token': '', 'access_token': 'b'}, 'b'),
        ({'token': 'a.b-c_d~e+f/g=', 'expires_in': 'rubbish'}, 'a.b-c_d~e+f/g='),
        # No RFC's token, but some service's.
        ({'token': 'a:b|{}"'}, 'a:b|{}"'),
    ],
)
def test_a_token(content, expected):
    assert token(content) == expected


def lifetime(date=None, **content):
    made = reply(json.dumps({'token': 'a', **content}))
    if date:
        made.headers['Date'] = date
    return auth.read_reply(made).lifetime


@pytest.mark.parametrize(
    ('expires_in', 'expected'),
    [
        (300, 300),
        (1, 1),
        (0.5, 0.5),
        ('300', 300),
        ('9' * 1000, 10**9),
        (10**1000, 10**9),
        *(
            (useless, 60)
            for useless in (None, 0, -1, 'soon', '-5', '', True, [], '³', float('nan'))
        ),
    ],
)
def test_how_long_a_token_lives(expires_in, expected):
    assert lifetime(expires_in=expires_in) == expected


DATE = 'Wed, 01 Jul 2026 12:00:00 GMT'


@pytest.mark.parametrize(
    ('issued_at', 'expected'),
    [
        ('2026-07-01T12:00:00Z', 300),
        ('2026-07-01T11:58:20Z', 200),
        ('2026-07-01T11:58:20.123456789z', 200),
        ('2026-07-01t13:58:20+02:00', 200),
        ('2026-07-01T05:58:20-06:00', 200),
        # By such a clock it has ended, or is not yet made.
        ('2026-07-01T11:55:00Z', 300),
        ('2025-07-01T11:55:00Z', 300),
        ('2026-07-01T12:05:00Z', 300),
        *((rubbish, 300) for rubbish in (
            None, '', 5, [], '2026-07-01', '2026-13-01T12:00:00Z', '2026-07-01T12:00:00',
            '2026-07-01T11:58:20+99:99', 'Z',
        )),
    ],
)  # fmt: skip
def test_a_token_that_was_made_before(issued_at, expected):
    """What lives for 300 seconds has less of them left; its maker's clock counts."""
    assert lifetime(DATE, expires_in=300, issued_at=issued_at) == expected


@pytest.mark.parametrize('date', [None, 'today', 'Wed, 99 Jul 2026 12:00:00 GMT', '\0'])
def test_by_our_clock_where_the_service_shows_none(date):
    now = time.time()
    made = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now - 1000))
    assert lifetime(date, expires_in=10**6, issued_at=made) <= 10**6 - 1000
    assert lifetime(date, expires_in=10**6, issued_at=made) > 10**6 - 10**5


def test_a_login_in_the_place_of_another():
    for said, expected in (('abc', 'abc'), (None, None), (5, None), ('a b', None), ('', None)):
        content = json.dumps({'token': 'a', 'refresh_token': said})
        assert auth.read_reply(reply(content)).identity_token == expected


def test_a_reply_shows_no_secret():
    content = json.dumps({'token': 'hunter2', 'refresh_token': 'hunter3', 'expires_in': 5})
    assert repr(auth.read_reply(reply(content))) == 'Reply(lifetime=5)'


@pytest.mark.parametrize(
    'content', ['', 'nonsense', '<html></html>', '{"token": "a"', b'\xff', '[' * 100_000]
)
def test_a_reply_that_is_not_json(content):
    with pytest.raises(DXFTokenError, match='the reply is not JSON'):
        token(content)


@pytest.mark.parametrize('content', [[], ['a'], 'a', 5, None, True])
def test_a_reply_that_is_no_object(content):
    with pytest.raises(DXFTokenError, match='the reply is not a JSON object'):
        token(json.dumps(content))


@pytest.mark.parametrize(
    'content',
    [{}, {'token': ''}, {'token': None}, {'access_token': ''}, {'Token': 'a'}, {'token': []},
     {'errors': [{'code': 'DENIED'}]}],
)  # fmt: skip
def test_a_reply_without_a_token(content):
    with pytest.raises(DXFTokenError, match='neither access_token nor token'):
        token(content)


@pytest.mark.parametrize(
    'found', [5, True, ['a'], {'a': 1}, 'a b', 'a\r\nX: y', 'a\n', '\xe4', '\u20ac', ' a', 'a\0']
)
def test_a_token_that_can_not_stand_in_a_header(found):
    for name in ('token', 'access_token'):
        with pytest.raises(DXFTokenError, match='the token is malformed') as e:
            token({name: found})
        assert str(found) not in str(e.value).partition(': ')[2] or len(str(found)) < 3


@pytest.mark.parametrize(
    'content', ['{"token": "secret"', 'token=secret', b'{"token": "secret\xff']
)
def test_what_is_not_json_is_not_kept(content):
    """A reply that was cut has a token in it all the same."""
    with pytest.raises(DXFTokenError) as e:
        token(content)
    assert (e.value.__cause__, e.value.__context__) == (None, None)


def test_where_the_reply_is_from_is_said_without_its_query():
    with pytest.raises(DXFTokenError) as e:
        token('nonsense', url='https://fred:secret@auth/token?password=secret')
    assert str(e.value) == 'no token from https://auth/token: the reply is not JSON'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(['token', 'access_token', 'x']), children)
    ),
    max_leaves=10,
)


@given(json_values.map(json.dumps) | st.text() | st.binary())
def test_no_reply_raises_another_error(content):
    try:
        found = token(content)
    except DXFTokenError as error:
        assert isinstance(error, DXFError)
        assert '\n' not in str(error)
    else:
        # It can be sent as it is.
        assert requests.Request('GET', ASKED, {'Authorization': 'Bearer ' + found}).prepare()
        assert found.isascii()
