"""What the tests on `responses` share: a registry and a token service that are not there."""

from urllib.parse import parse_qsl, urlsplit

from .client import made_response

BASE = 'https://registry.example/v2/'
REPO = BASE + 'some/repo/'
REALM = 'https://tokens.example/token'
SCOPE = 'repository:some/repo:pull,push'


def sent(mock):
    """Method and URL of each request that was made."""
    return [(call.request.method, call.request.url) for call in mock.calls]


def headers_of(mock):
    return [call.request.headers for call in mock.calls]


def asked(mock, number=-1):
    """The URL without its query, and the query, of a request that was made."""
    parts = urlsplit(mock.calls[number].request.url)
    return parts._replace(query='').geturl(), parse_qsl(parts.query, keep_blank_values=True)


def bearer(realm=REALM, **parameters):
    """A Bearer challenge."""
    given = ''.join(f',{name}="{value}"' for name, value in parameters.items())
    return f'Bearer realm="{realm}"{given}'


def challenged(*challenges, status=401):
    """The registry's answer with these challenges."""
    response = made_response(status, WWW_Authenticate=', '.join(challenges))
    response.url = BASE
    return response
