"""Indexes that list indexes: read once each, and not for ever."""

import json

import pytest

from dxf import manifests
from dxf.exceptions import DXFInvalidManifestError
from dxf.nesting import Nesting

INDEX = 'application/vnd.oci.image.index.v1+json'
LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'


def listed(number, media_type=INDEX, **others):
    return {'mediaType': media_type, 'digest': f'sha256:{number:064}', 'size': 1, **others}


def index(*entries):
    return manifests.parse(json.dumps({'manifests': entries}), INDEX)


def never(wanted):
    raise AssertionError('there is nothing to read')


def test_what_is_not_nested_is_left_alone():
    flat = index(listed(1, 'text/plain'), listed(2, None))
    assert Nesting(flat, never).index is flat


@pytest.mark.parametrize('media_type', [INDEX, LIST])
def test_indexes_give_way_to_what_they_list(media_type):
    inner = index(listed(1, 'a/a'), listed(2, 'a/b'))
    made = Nesting(index(listed(0, media_type), listed(3, 'a/c')), lambda wanted: [inner])
    assert [one.media_type for one in made.index.manifests] == ['a/a', 'a/b', 'a/c']
    assert made.inner == ['sha256:' + '0' * 64]


def test_one_that_lists_itself_has_nothing_new_in_it():
    itself = index(listed(0), listed(1, 'a/a'))
    made = Nesting(itself, lambda wanted: [itself for _ in wanted])
    assert list(made.index.platforms) == [f'sha256:{1:064}']


def test_ever_new_ones_come_to_an_end():
    reads = []

    def read(wanted):
        reads.append(list(wanted))
        return [index(listed(len(reads)), listed(0)) for _ in reads[-1]]

    with pytest.raises(DXFInvalidManifestError, match='too deep'):
        Nesting(index(listed(0)), read)
    assert [len(wanted) for wanted in reads] == [1] * 4


def test_ever_more_ones_come_to_an_end():
    numbers = iter(range(1, 10**6))

    def read(wanted):
        return [index(*(listed(next(numbers)) for _ in range(10))) for _ in wanted]

    with pytest.raises(DXFInvalidManifestError, match='too many'):
        Nesting(index(listed(0)), read)
    assert next(numbers) <= 112
