"""Lists in pages: from page to page, to an end."""

import itertools

import pytest
import requests

from dxf.exceptions import DXFNotARegistryError
from dxf.pagination import names

HOST = 'https://localhost:5000'
BASE_URL = HOST + '/v2/'


def page(content, link=None, url=HOST + '/v2/a/tags/list', content_type='application/json'):
    response = requests.Response()
    response.status_code = 200
    response.url = url
    response.headers['Content-Type'] = content_type
    response._content = content if isinstance(content, bytes) else content.encode()
    if link is not None:
        response.headers['Link'] = link
    return response


class Pages:
    """Gives these in turn; `asked` lists the URLs that it was asked for."""

    def __init__(self, *pages):
        self._pages = iter(pages)
        self.asked = []

    def __call__(self, url):
        self.asked.append(url)
        made = next(self._pages)
        made.url = url or made.url
        return made

    def names(self, key='tags', base_url=BASE_URL):
        return list(names(self, key, base_url))


def tags(*found, link=None):
    quoted = ', '.join(f'"{name}"' for name in found)
    return page(f'{{"name": "a", "tags": [{quoted}]}}', link)


def test_one_page():
    pages = Pages(tags('b', 'a', 'b'))
    assert pages.names() == ['b', 'a', 'b']
    assert pages.asked == [None]


@pytest.mark.parametrize(
    'content', ['{"tags": null}', '{"tags": []}', '{"tags": null, "repositories": 5}']
)
def test_no_names(content):
    assert Pages(page(content)).names() == []


@pytest.mark.parametrize(
    ('link', 'target'),
    [
        ('</v2/a/tags/list?n=1&last=x>; rel="next"', HOST + '/v2/a/tags/list?n=1&last=x'),
        ('<?last=x>; rel="next"', HOST + '/v2/a/tags/list?last=x'),
        ('<list?last=x>;rel=next', HOST + '/v2/a/tags/list?last=x'),
        (f'<{HOST}/other?last=x>; rel="next"', HOST + '/other?last=x'),
        ('<//localhost:5000/other>; rel="next"', HOST + '/other'),
        # A registry behind a proxy that terminates TLS.
        ('<http://localhost:5000/other>; rel="next"', HOST + '/other'),
        ('</first>; rel="first", </other>; rel="next"', HOST + '/other'),
        ('<https://elsewhere/other>; rel="next"', 'https://elsewhere/other'),
    ],
)
def test_the_next_page(link, target):
    pages = Pages(tags('a', link=link), tags('b'))
    assert pages.names() == ['a', 'b']
    assert pages.asked == [None, target]


def test_http_stays_http_where_it_is_asked_for():
    first = tags('a', link='<http://localhost:5000/other>; rel="next"')
    first.url = 'http://localhost:5000/v2/'
    pages = Pages(first, tags('b'))
    assert pages.names(base_url='http://localhost:5000/v2/') == ['a', 'b']
    assert pages.asked[1] == 'http://localhost:5000/other'


@pytest.mark.parametrize(
    'link',
    ['', '</x>; rel="prev"', '</x>', 'rubbish', '<>; rel="next"', ';;;', '<', '/x; rel=next; ,,,'],
)
def test_a_link_that_is_no_next(link):
    pages = Pages(tags('a', link=link), tags('b'))
    # An odd link may be read as one to somewhere, but is no error.
    assert pages.names() in (['a'], ['a', 'b'])


def test_a_link_that_is_no_address():
    with pytest.raises(DXFNotARegistryError, match='no address'):
        Pages(tags('a', link='<http://[>; rel="next"')).names()


def test_names_come_as_pages_arrive():
    pages = Pages(tags('a', link='</2>; rel="next"'), tags('b'))
    found = names(pages, 'tags', BASE_URL)
    assert pages.asked == []
    assert next(found) == 'a'
    assert len(pages.asked) == 1
    assert next(found) == 'b'
    assert len(pages.asked) == 2


def test_an_empty_page_in_the_middle():
    pages = Pages(tags('a', link='</2>; rel="next"'), tags(link='</3>; rel="next"'), tags('b'))
    assert pages.names() == ['a', 'b']


def forever(make):
    """Pages without end, the n-th as `make(n)` makes it; fails where too many are read."""

    def get(url):
        number = next(numbers)
        if number > 1000:
            pytest.fail('it does not end')
        made = make(number)
        made.url = url or made.url
        return made

    numbers = itertools.count()
    return list(names(get, 'tags', BASE_URL))


def test_a_link_to_itself():
    assert forever(lambda n: tags('a', link='</v2/a/tags/list>; rel="next"')) == ['a']


def test_links_in_a_circle():
    assert forever(lambda n: tags(f'n{n}', link=f'</{(n + 1) % 3}>; rel="next"')) in (
        ['n0', 'n1', 'n2'],
        ['n0', 'n1', 'n2', 'n3'],
    )


def test_the_same_page_under_ever_new_addresses():
    """As from a registry that knows no `last`."""
    assert forever(lambda n: tags('a', 'b', link=f'</?{n}>; rel="next"')) == ['a', 'b']


def test_empty_pages_without_end():
    assert forever(lambda n: tags(link=f'</?{n}>; rel="next"')) == []


def test_names_without_end_are_not_our_business():
    """But who reads them one by one can stop."""
    pages = (tags(f'n{n}', link=f'</?{n}>; rel="next"') for n in itertools.count())
    found = names(Pages(*itertools.islice(pages, 100)), 'tags', BASE_URL)
    assert list(itertools.islice(found, 50)) == [f'n{n}' for n in range(50)]


@pytest.mark.parametrize(
    'content', ['', '<html>Please log in</html>', '{"tags": ["a"', b'\xff\xfe{', '[' * 100_000]
)
def test_what_is_not_json(content):
    response = page(content, content_type='text/html', url='https://user:secret@localhost/?sig=x')
    with pytest.raises(DXFNotARegistryError, match='text/html instead of JSON') as e:
        Pages(response).names()
    assert e.value.address == 'https://localhost/'
    assert 'secret' not in str(e.value)


def test_what_has_no_type_either():
    response = page('nonsense')
    del response.headers['Content-Type']
    with pytest.raises(DXFNotARegistryError, match='something instead of JSON'):
        Pages(response).names()


@pytest.mark.parametrize(
    'content',
    [
        '{"tags": "a"}',
        '{"tags": {"a": 1}}',
        '{"tags": 5}',
        '{"tags": [1]}',
        '{"tags": [null]}',
        '{"tags": [["a"]]}',
        '{"tags": ["a", 1]}',
        '{"tags": false}',
    ],
)
def test_a_list_that_is_none(content):
    with pytest.raises(DXFNotARegistryError, match='has no list of tags'):
        Pages(page(content)).names()


@pytest.mark.parametrize(
    'content', ['{"name": "a", "tags": null}', '{"name": "a", "tags": []}', '{"name": "a"}']
)
def test_a_repository_without_tags(content):
    assert Pages(page(content)).names() == []


@pytest.mark.parametrize(
    'content', ['[]', '["a"]', '"tags"', '5', 'null', 'true', '{}', '{"repositories": ["a"]}']
)
def test_what_has_no_list(content):
    with pytest.raises(DXFNotARegistryError, match='has no list of tags'):
        Pages(page(content)).names()


def test_a_page_in_the_middle_that_is_none():
    pages = Pages(tags('a', link='</2>; rel="next"'), page('nonsense'))
    found = names(pages, 'tags', BASE_URL)
    assert next(found) == 'a'
    with pytest.raises(DXFNotARegistryError):
        next(found)


def test_another_key():
    assert Pages(page('{"repositories": ["a"], "tags": ["b"]}')).names('repositories') == ['a']
