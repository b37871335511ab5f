"""What the environment says of requests: asked of requests, once for each state of things."""

import pytest

from dxf.connections import session
from dxf.surroundings import Surroundings

URL = 'https://registry.example:5000/v2/a/blobs/uploads/1?_state=http://other.example/'


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ('http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def made():
    with session() as kept:
        yield kept


@pytest.fixture
def asked(made, monkeypatch):
    """For which addresses requests was asked."""
    found = []
    original = made.merge_environment_settings

    def ask(url, *args):
        found.append(url)
        return original(url, *args)

    monkeypatch.setattr(made, 'merge_environment_settings', ask)
    monkeypatch.setattr('dxf.surroundings._HAS_OTHERS', False)
    return found


@pytest.mark.parametrize('url', [URL, 'http://user@registry.example/', 'https://[::1]:1/'])
@pytest.mark.parametrize('verify', [True, False, 'bundle', None])
@pytest.mark.parametrize('stream', [True, False])
@pytest.mark.parametrize('proxies', [{}, {'http': 'http://given.example'}])
@pytest.mark.parametrize(
    'environ',
    [
        {},
        {'https_proxy': 'http://proxy.example:1'},
        {'ALL_PROXY': 'http://proxy.example:1', 'NO_PROXY': 'registry.example'},
        {'REQUESTS_CA_BUNDLE': 'of requests', 'CURL_CA_BUNDLE': 'of curl'},
        {'CURL_CA_BUNDLE': 'of curl'},
    ],
)
def test_they_are_what_requests_says(made, monkeypatch, url, verify, stream, proxies, environ):
    for name in ('REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    surroundings = Surroundings(made)
    wanted = made.merge_environment_settings(url, dict(proxies), stream, verify, 'cert')
    for _ in range(2):
        assert surroundings.settings(url, dict(proxies), stream, verify, 'cert') == wanted


def test_requests_is_asked_once_for_a_host(made, asked):
    surroundings = Surroundings(made)
    for _ in range(3):
        surroundings.settings(URL, {}, False, True, None)
        surroundings.settings('https://registry.example:5000/v2/', {}, True, True, None)
    assert asked == [URL]
    surroundings.settings('http://registry.example:5000/v2/', {}, False, True, None)
    surroundings.settings('https://registry.example/v2/', {}, False, True, None)
    surroundings.settings(URL, {}, False, False, None)
    assert len(asked) == 4


def test_it_is_asked_again_when_the_environment_has_changed(made, asked, monkeypatch):
    surroundings = Surroundings(made)
    assert surroundings.settings(URL, {}, False, True, None)['proxies'] == {}
    monkeypatch.setenv('https_proxy', 'http://proxy.example:1')
    found = surroundings.settings(URL, {}, False, True, None)
    assert found['proxies']['https'] == 'http://proxy.example:1'
    # What is done to it is done to this one alone.
    found['proxies'].clear()
    assert surroundings.settings(URL, {}, False, True, None)['proxies']
    monkeypatch.delenv('https_proxy')
    assert surroundings.settings(URL, {}, False, True, None)['proxies'] == {}
    assert len(asked) == 3


def test_it_is_asked_each_time_where_proxies_are_set_elsewhere(made, asked, monkeypatch):
    monkeypatch.setattr('dxf.surroundings._HAS_OTHERS', True)
    surroundings = Surroundings(made)
    for _ in range(2):
        surroundings.settings(URL, {}, False, True, None)
    assert len(asked) == 2
