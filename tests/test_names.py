"""Names: what the OCI distribution specification lets hosts, repositories and tags be."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dxf.exceptions import DXFError, DXFInvalidNameError
from dxf.names import check_alias, check_host, check_repository

# As they stand in the specification (1.1, "Pulling manifests"), anchored.
REPOSITORY = re.compile(
    r'\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\Z'
)
TAG = re.compile(r'\A[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\Z')

nearly_repositories = st.text('abz09._-/A:@ \n\xe4', max_size=40)
nearly_tags = st.text('abzAZ09._-/:@ \n\xe4\u0663', max_size=140)


def allowed(check, name):
    try:
        assert check(name) == name
    except DXFInvalidNameError as error:
        assert repr(name) in str(error)
        return False
    return True


# What the expression makes of itself takes its time: its parts are quicker.
components = st.from_regex(r'[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*', fullmatch=True)


@given(st.lists(components, min_size=1, max_size=8).map('/'.join))
def test_repositories_that_the_specification_allows(name):
    assert allowed(check_repository, name) == (len(name) <= 255)


@given(nearly_repositories)
def test_repositories_are_those_of_the_specification(name):
    assert allowed(check_repository, name) == bool(REPOSITORY.match(name))


@given(st.from_regex(TAG))
def test_aliases_that_the_specification_allows(name):
    assert allowed(check_alias, name)


@given(nearly_tags)
def test_aliases_are_the_specification_s_tags(name):
    assert allowed(check_alias, name) == bool(TAG.match(name))


@given(st.text())
def test_no_text_raises_another_error(name):
    for check in (check_host, check_repository, check_alias):
        try:
            assert check(name) == name
        except DXFError as error:
            assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    'name',
    [
        'a',
        'a/b',
        'a/b/c/d',
        'library/ubuntu',
        'a.b',
        'a_b',
        'a__b',
        'a-b',
        'a---b',
        '0',
        'a' * 255,
    ],
)
def test_repositories(name):
    assert check_repository(name) == name


@pytest.mark.parametrize(
    'name',
    [
        '',
        '/',
        '/a',
        'a/',
        'a//b',
        'A',
        'a b',
        'a\n',
        '-a',
        'a-',
        '.a',
        'a..b',
        'a___b',
        'a._b',
        '..',
        'a/../b',
        'a:b',
        'a@b',
        'a?b',
        'a#b',
        'a%2fb',
        'ä',
        'a' * 256,
        'localhost:5000/a',
        'https://localhost/a',
    ],
)
def test_no_repositories(name):
    with pytest.raises(DXFInvalidNameError, match='invalid repository: '):
        check_repository(name)


@pytest.mark.parametrize('name', ['latest', 'v1.0', '_x', '1', 'A-b_C.d', 'x' * 128, '1..2', 'a-'])
def test_aliases(name):
    assert check_alias(name) == name


@pytest.mark.parametrize(
    'name', ['', '.a', '-a', 'a b', 'a/b', 'a:b', '@a', 'a\n', 'ä', 'x' * 129, '?', '\u0663']
)
def test_no_aliases(name):
    with pytest.raises(DXFInvalidNameError, match='invalid alias: '):
        check_alias(name)


@pytest.mark.parametrize(
    'host',
    [
        'localhost',
        'localhost:5000',
        'registry-1.docker.io',
        '127.0.0.1:443',
        '[::1]',
        '[::1]:5000',
        '[2001:db8::1]:5000',
        'Registry.Example',
        'my_registry:1',
    ],
)
def test_hosts(host):
    assert check_host(host) == host


@pytest.mark.parametrize(
    'host',
    [
        '',
        'local host',
        'localhost:',
        'localhost:port',
        'localhost:123456',
        'localhost/v2',
        'localhost/',
        'user@localhost',
        'user:password@localhost',
        'localhost?x',
        'localhost#x',
        '::1',
        '[::1',
        'localhost\n',
        'host\r\nX: y',
    ],
)
def test_no_hosts(host):
    with pytest.raises(DXFInvalidNameError, match='invalid host: ') as e:
        check_host(host)
    assert 'localhost:5000' in str(e.value)
    assert 'URL' not in str(e.value)


@pytest.mark.parametrize('url', ['http://localhost:5000', 'https://localhost', 'https://x/v2/'])
def test_a_url_in_a_host_s_place_is_called_one(url):
    with pytest.raises(DXFInvalidNameError, match='it is a URL'):
        check_host(url)


@pytest.mark.parametrize('host', ['localhost:65536', 'localhost:99999', 'localhost:0'])
def test_a_port_that_no_host_has(host):
    with pytest.raises(DXFInvalidNameError, match='invalid host: '):
        check_host(host)
