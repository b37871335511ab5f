"""URLs as they may be shown; the secrets tests look at what is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dxf.redaction import without_query


@pytest.mark.parametrize(
    ('url', 'expected'),
    [
        ('https://a/b', 'https://a/b'),
        ('https://a/b?c=d', 'https://a/b'),
        ('https://a/b?c=d#e', 'https://a/b'),
        ('https://a/b#e', 'https://a/b'),
        ('https://fred:secret@a:5000/b?c', 'https://a:5000/b'),
        ('https://fred@a/', 'https://a/'),
        ('https://a:b@c@d/', 'https://d/'),
        ('https://[::1]:5000/?x', 'https://[::1]:5000/'),
        ('', ''),
        (None, ''),
    ],
)
def test_without_query(url, expected):
    assert without_query(url) == expected


@given(
    st.text(st.characters(exclude_characters='/?#@[]', exclude_categories=['Cs', 'Cc', 'Zs'])),
    st.text('abc:@'),
)
def test_without_query_hides_what_is_secret(query, userinfo):
    shown = without_query(f'https://{userinfo}@host:5000/path?{query}')
    assert shown == 'https://host:5000/path'
