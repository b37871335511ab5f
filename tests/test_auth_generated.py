"""Whatever a registry or its token service says, the client ends in what is documented."""

import json
import re

import requests
import responses
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dxf
from dxf import exceptions

from .support import secrets

HOST = 'registry.example'
URL = f'https://{HOST}/v2/a/tags/list'

# What the documentation has.
DOCUMENTED = (exceptions.DXFError, requests.exceptions.RequestException)

CREDENTIALS = st.sampled_from([
    {'username': 'fred', 'password': secrets.PASSWORD},
    {'authorization': f'Basic {secrets.PASSWORD}'},
    {'identity_token': secrets.PASSWORD},
    {},
])  # fmt: skip


class Net:
    """Everything there is: a registry that asks so, and token services that answer so."""

    def __init__(self, challenge, reply):
        self.challenge = challenge
        self.reply = reply
        self.calls = []

    def answer(self, request):
        self.calls.append(request)
        if not request.url.startswith(f'https://{HOST}/v2/'):
            status, headers, body = self.reply
            return status, headers, body
        if request.headers.get('Authorization'):
            return 200, {}, '{"tags": ["there"]}'
        headers = {} if self.challenge is None else {'WWW-Authenticate': self.challenge}
        return 401, headers, ''


def use(challenge, reply, credentials, **settings):
    """Ask for a list. Either it is had, or what is raised is documented and without a secret."""
    net = Net(challenge, reply)

    def auth(client, response):
        client.authenticate(response=response, **credentials)

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ('GET', 'POST'):
            mock.add_callback(method, re.compile('.*'), net.answer)
        with dxf.DXF(HOST, 'a', auth, retries=0, **settings) as client:
            try:
                assert client.list_aliases() == ['there']
            except DOCUMENTED as error:
                text = str(error)
                assert text
                assert secrets.PASSWORD not in text + repr(error)
            else:
                assert client._headers['Authorization']
    for call in net.calls:
        # Whatever was said, credentials go by https, and to whom the challenge named.
        assert call.url.startswith('https://')


# What stands in a header as it comes from the wire: no line breaks, else any byte.
CHARACTERS = st.characters(min_codepoint=1, max_codepoint=255, blacklist_characters='\r\n\0')
ANYTHING = st.text(CHARACTERS, max_size=60)

HOSTS = st.sampled_from(
    [
        'tokens.example',
        'localhost',
        '127.0.0.1',
        '[::1]',
        'x:1',
        'x:99999',
        'x:y',
        '[',
        ']',
        'a@b',
        'fred:pw@x',
        '*.x',
        '.',
        'x..y',
        'xn--',
        'ü',
        '',
    ]
)
REALMS = st.one_of(
    ANYTHING,
    st.builds(
        '{}{}{}{}'.format,
        st.sampled_from(['https://', 'http://', 'HTTPS://', '//', '', 'ftp://', 'https:', ':']),
        HOSTS,
        st.sampled_from(['', '/', '/token', '/t?x=y', '?', '#x', '/\\', '//', '/%zz', '/ü']),
        ANYTHING,
    ),
)
PARAMETERS = st.tuples(
    st.sampled_from(['realm', 'service', 'scope', 'Realm', 'error', 'x']) | ANYTHING,
    REALMS
    | st.sampled_from(['', 'repository:a:pull', 'repository:a:pull repository:b:pull', ':::']),
    st.sampled_from(
        ['{}="{}"', '{}={}', "{}='{}'", '{}', '{}=', '{} = "{}"', '="{}{}"', '{}="{}']
    ),
)
CHALLENGES = st.one_of(
    st.none(),
    ANYTHING,
    st.builds(
        lambda schemes, separator: separator.join(
            f'{scheme} ' + ','.join(form.format(name, value) for name, value, form in parameters)
            for scheme, parameters in schemes
        ),
        st.lists(
            st.tuples(
                st.sampled_from(['Bearer', 'bearer', 'Basic', 'Digest', '', 'B=']),
                st.lists(PARAMETERS, max_size=4),
            ),
            max_size=3,
        ),
        st.sampled_from([', ', ',', ' ', ';', '']),
    ),
)

many = settings(max_examples=200)

GOOD_REPLY = (200, {}, '{"token": "granted"}')
GOOD_CHALLENGE = (
    'Bearer realm="https://tokens.example/token",service="s",scope="repository:a:pull"'
)


@many
@given(challenge=CHALLENGES, credentials=CREDENTIALS)
@example(challenge=GOOD_CHALLENGE, credentials={})
@example(challenge='Bearer realm="https://tokens.example:99999999999999999999/"', credentials={})
@example(challenge='Bearer realm="https://[fe80::1%25eth0]/"', credentials={})
@example(challenge='Bearer realm="https://\u2100.example/"', credentials={})
@example(challenge='Bearer realm=""' * 100, credentials={})
def test_challenges(challenge, credentials):
    use(challenge, GOOD_REPLY, credentials)


@many
@given(challenge=CHALLENGES, host=st.sampled_from(['tokens.example', 'localhost:5001', '[::1]:1']))
def test_challenges_where_it_is_known_whom_to_ask(challenge, host):
    use(challenge, GOOD_REPLY, {'username': 'fred', 'password': secrets.PASSWORD}, auth_host=host)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
FIELDS = st.sampled_from(['token', 'access_token', 'expires_in', 'issued_at', 'refresh_token'])
REPLIES = st.one_of(
    st.binary(max_size=60),
    VALUES.map(json.dumps),
    st.dictionaries(FIELDS, VALUES).map(json.dumps),
    st.builds(
        lambda token, fields: json.dumps({**fields, 'token': token}),
        st.text('abc\n\0 ü', min_size=1, max_size=5) | st.just('granted'),
        st.dictionaries(FIELDS, VALUES | st.integers(0, 10**400) | st.floats()),
    ),
)
STATUSES = st.sampled_from(
    [200] * 8 + [100, 201, 204, 206, 301, 307, 400, 401, 403, 404, 500, 599]
)
# As for what is no UTF-8 in a Location, that has a test of its own.
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60)
HEADERS = st.dictionaries(
    st.sampled_from(['Content-Type', 'Content-Length', 'Location', 'WWW-Authenticate', 'Link']),
    ASCII | st.sampled_from(['text/html', 'application/json; charset=x', '0']),
    max_size=2,
)


@many
@given(status=STATUSES, headers=HEADERS, body=REPLIES, credentials=CREDENTIALS)
@example(
    status=200, headers={}, body='{"token": "a", "expires_in": 1' + '0' * 400 + '}', credentials={}
)
@example(status=200, headers={}, body='{"token": "a", "expires_in": NaN}', credentials={})
@example(status=200, headers={}, body='{"token": "a", "expires_in": -Infinity}', credentials={})
@example(status=200, headers={'Content-Type': 'a; charset=no'}, body=b'\xff\xfe', credentials={})
@example(status=200, headers={}, body='[' * 100_000, credentials={})
@example(
    status=200,
    headers={},
    body='{"token": "\ud800"}'.encode('utf-8', 'surrogatepass'),
    credentials={},
)
def test_replies(status, headers, body, credentials):
    use(GOOD_CHALLENGE, (status, headers, body), credentials)


@many
@given(challenge=CHALLENGES, body=REPLIES, credentials=CREDENTIALS)
def test_both(challenge, body, credentials):
    use(challenge, (200, {}, body), credentials)


@many
@given(status=STATUSES, challenge=CHALLENGES, credentials=CREDENTIALS)
def test_authenticating_beforehand(status, challenge, credentials):
    """The answer that is given to `authenticate`, by whoever calls it."""
    response = requests.Response()
    response.status_code = status
    response.url = f'https://{HOST}/v2/'
    response._content = b''
    if challenge is not None:
        response.headers['WWW-Authenticate'] = challenge
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ('GET', 'POST'):
            mock.add_callback(method, re.compile('.*'), lambda request: GOOD_REPLY)
        with dxf.DXFBase(HOST, retries=0) as base:
            try:
                token = base.authenticate(response=response, **credentials)
            except DOCUMENTED as error:
                assert secrets.PASSWORD not in str(error)
            else:
                assert token in (None, 'granted')
