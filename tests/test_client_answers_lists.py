"""Lists as odd registries give them: links, loops, nulls, and what is no list at all."""

import json

import pytest

import dxf
from dxf import exceptions

from .support.fakeserver import Answer

KINDS = {
    'aliases': ('/v2/a/tags/list', 'tags', lambda client, *args: client.list_aliases(*args)),
    'repos': ('/v2/_catalog', 'repositories', lambda client, *args: client.list_repos(*args)),
}


class Listed:
    """A server's list, and how to ask for it."""

    def __init__(self, server, kind):
        self.server = server
        self.path, self.key, self._read = KINDS[kind]
        self.client = dxf.DXF(server.host, 'a', insecure=True)

    def page(self, query, names, link=None):
        headers = {} if link is None else {'Link': link}
        answer = Answer(200, {self.key: names}, headers)
        pattern = self.path + (r'\?' + query if query else '')
        self.server.on('GET', pattern, lambda request: answer)

    def read(self, *args):
        return self._read(self.client, *args)

    @property
    def targets(self):
        return [request.target for request in self.server.requests]


@pytest.fixture(params=KINDS)
def listed(request, fake_server):
    made = Listed(fake_server, request.param)
    with made.client:
        yield made


def linked(listed, where):
    return {
        'absolute': listed.server.url + listed.path + '?last=b',
        'relative': listed.path + '?last=b',
        'query-alone': '?last=b',
        'relative-to-the-folder': listed.path.rpartition('/')[2] + '?last=b',
        'without-a-scheme': '//' + listed.server.host + listed.path + '?last=b',
    }[where]


@pytest.mark.parametrize(
    'where',
    ['absolute', 'relative', 'query-alone', 'relative-to-the-folder', 'without-a-scheme'],
)
@pytest.mark.parametrize(
    'form',
    [
        '<{}>; rel="next"',
        '<{}>;rel="next"',
        '<{}>; rel=next',
        '<{}>; title="a, b"; rel="next"',
        '<https://docs.example/>; rel="help", <{}>; rel="next"',
    ],
)
def test_forms_of_links(listed, where, form):
    listed.page('', ['a', 'b'], form.format(linked(listed, where)))
    listed.page('last=b', ['c'])
    assert listed.read() == ['a', 'b', 'c']
    assert listed.targets == [listed.path, listed.path + '?last=b']


@pytest.mark.parametrize(
    'link',
    [
        '',
        ' ',
        ',',
        ';',
        '<>',
        '<>; rel="next"',
        'nonsense',
        '<{}?last=b>',
        '<{}?last=b>; rel="prev"',
        '<{}?last=b>; rel="last"',
        '<{}?last=b>; nonsense',
        '; rel="next"',
        'rel="next"',
    ],
)
def test_links_that_lead_nowhere(listed, link):
    listed.page('', ['a', 'b'], link.format(listed.path))
    listed.page('last=b', ['never'])
    assert listed.read() == ['a', 'b']


@pytest.mark.parametrize('link', ['<http://[>; rel="next"', '<http://x:y/>; rel="next"'])
def test_links_to_no_address(listed, link):
    listed.page('', ['a', 'b'], link)
    with pytest.raises((exceptions.DXFError, OSError)):
        listed.read()


def test_a_link_to_itself(listed):
    listed.page('', ['a', 'b'], f'<{listed.path}>; rel="next"')
    assert listed.read() == ['a', 'b']
    assert len(listed.targets) <= 2


def test_a_link_back_to_the_first_page(listed):
    listed.page('', ['a', 'b'], f'<{listed.path}?last=b>; rel="next"')
    listed.page('last=b', ['c'], f'<{listed.path}>; rel="next"')
    assert listed.read() == ['a', 'b', 'c']


def test_a_link_back_to_a_later_page(listed):
    listed.page('', ['a'], f'<{listed.path}?last=a>; rel="next"')
    listed.page('last=a', ['b'], f'<{listed.path}?last=b>; rel="next"')
    listed.page('last=b', ['c'], f'<{listed.path}?last=a>; rel="next"')
    assert listed.read() == ['a', 'b', 'c']
    assert len(listed.targets) <= 4


def test_the_same_page_under_ever_new_links(listed):
    """A registry that ignores `last` and makes each link anew."""
    count = []

    def answer(request):
        count.append(request)
        link = f'<{listed.path}?page={len(count)}>; rel="next"'
        return Answer(200, {listed.key: ['a', 'b']}, {'Link': link})

    listed.server.on('GET', listed.path, answer)
    assert listed.read() == ['a', 'b']
    assert len(count) < 10


def test_empty_pages_without_end(listed):
    count = []

    def answer(request):
        count.append(request)
        link = f'<{listed.path}?page={len(count)}>; rel="next"'
        return Answer(200, {listed.key: []}, {'Link': link})

    listed.server.on('GET', listed.path, answer)
    assert listed.read() == []
    assert len(count) < 1000


def test_an_empty_page_is_not_the_last(listed):
    """As where what may not be seen is left out."""
    listed.page('', ['a'], f'<{listed.path}?last=a>; rel="next"')
    listed.page('last=a', [], f'<{listed.path}?last=b>; rel="next"')
    listed.page('last=b', None, f'<{listed.path}?last=c>; rel="next"')
    listed.page('last=c', ['d'])
    assert listed.read() == ['a', 'd']


def test_batch_size_is_for_the_first_page(listed):
    """The links have what the registry makes of it."""
    listed.page('', ['a', 'b'], f'<{listed.path}?last=b>; rel="next"')
    listed.page('last=b', ['c', 'd'])
    assert list(listed.read(2, True)) == ['a', 'b', 'c', 'd']
    assert listed.targets == [listed.path + '?n=2', listed.path + '?last=b']


@pytest.mark.parametrize('kind', ['text/html', 'text/plain', '', 'nonsense'])
def test_the_type_of_a_list_means_nothing(listed, kind):
    body = json.dumps({listed.key: ['a']})
    listed.server.on('GET', listed.path, lambda request: Answer(200, body, {'Content-Type': kind}))
    assert listed.read() == ['a']


@pytest.mark.parametrize('iterate', [False, True])
def test_null(listed, iterate):
    listed.page('', None)
    assert list(listed.read(None, iterate)) == []


def test_names_are_given_as_they_are(listed):
    names = ['ü', 'a b', '', 'a' * 1000, '../x', 'a\nb']
    listed.page('', names)
    assert listed.read() == names


@pytest.mark.parametrize(
    'answer',
    [
        Answer(200, '<html>Please log in</html>', {'Content-Type': 'text/html'}),
        Answer(200, '', {}),
        Answer(200, 'null', {}),
        Answer(200, '[]', {}),
        Answer(200, '5', {}),
        Answer(200, '"x"', {}),
        Answer(200, '[' * 100_000, {}),
        Answer(200, b'\xff\xfe\xfd', {}),
    ],
    ids=['page', 'empty', 'null', 'array', 'number', 'string', 'deep', 'binary'],
)
def test_what_is_no_registrys_answer(listed, answer):
    listed.server.on('GET', listed.path, lambda request: answer)
    with pytest.raises(exceptions.DXFNotARegistryError) as e:
        listed.read()
    assert listed.server.url + listed.path in str(e.value)
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('names', ['x', 5, {'a': 1}, ['a', 5], [None], [['a']], True])
def test_what_is_no_list_of_names(listed, names):
    listed.page('', names)
    with pytest.raises(exceptions.DXFError):
        listed.read()


def test_a_later_page_that_is_none(listed):
    listed.page('', ['a'], f'<{listed.path}?last=a>; rel="next"')
    listed.server.on('GET', listed.path + r'\?last=a', Answer(200, '<html>'))
    names = iter(listed.read(None, True))
    assert next(names) == 'a'
    with pytest.raises(exceptions.DXFNotARegistryError):
        next(names)


def test_links_that_name_http_behind_tls(fake_tls_server, certificates):
    """A proxy that terminates TLS: the registry does not know of it."""
    server = fake_tls_server
    link = f'<http://{server.host}/v2/a/tags/list?last=a>; rel="next"'
    server.on('GET', '/v2/a/tags/list', lambda r: Answer(200, {'tags': ['a']}, {'Link': link}))
    server.on('GET', r'/v2/a/tags/list\?last=a', Answer(200, {'tags': ['b']}))
    with dxf.DXF(server.host, 'a', tlsverify=certificates.ca) as client:
        client.token = 'abc'
        assert client.list_aliases() == ['a', 'b']
    assert [r.headers['Authorization'] for r in server.requests] == ['Bearer abc'] * 2
