"""Digests: made, compared, picked apart, and told from what only looks like one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dxf import digests
from dxf.exceptions import (
    DXFDigestMismatchError,
    DXFError,
    DXFInvalidNameError,
    DXFUnexpectedDigestMethodError,
)

EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
ABC = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
ABC_512 = (
    'sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a'
    '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f'
)


def test_hash_bytes_gives_known_digests():
    assert digests.hash_bytes(b'') == EMPTY
    assert digests.hash_bytes(b'abc') == ABC
    assert digests.hash_bytes(bytearray(b'abc')) == ABC
    assert digests.hash_bytes(memoryview(b'abc')) == ABC


@pytest.mark.parametrize(
    'size',
    [0, 1, digests.READ_SIZE - 1, digests.READ_SIZE, digests.READ_SIZE + 1, digests.READ_SIZE * 3],
)
def test_hash_file_hashes_whole_files(tmp_path, size):
    content = bytes(i % 251 for i in range(size))
    path = tmp_path / 'a file'
    path.write_bytes(content)
    expected = 'sha256:' + hashlib.sha256(content).hexdigest()
    assert digests.hash_file(str(path)) == expected
    assert digests.hash_file(path) == expected


def test_hash_file_lets_the_errors_of_files_through(tmp_path):
    with pytest.raises(FileNotFoundError) as e:
        digests.hash_file(str(tmp_path / 'missing'))
    assert e.value.filename == str(tmp_path / 'missing')
    with pytest.raises(IsADirectoryError):
        digests.hash_file(str(tmp_path))


@given(st.lists(st.binary()))
def test_a_hasher_sees_content_however_it_is_cut(pieces):
    hasher = digests.Hasher()
    for piece in pieces:
        hasher.update(piece)
    assert hasher.digest() == digests.hash_bytes(b''.join(pieces))


def test_a_hasher_is_of_the_digest_s_algorithm():
    for expected in (ABC, ABC_512):
        hasher = digests.Hasher.of(expected)
        hasher.update(b'ab')
        hasher.update(b'c')
        assert hasher.digest() == expected
        hasher.check(expected)


def test_a_hasher_says_what_it_got_and_what_was_expected():
    hasher = digests.Hasher()
    hasher.update(b'abc')
    with pytest.raises(DXFDigestMismatchError) as e:
        hasher.check(EMPTY)
    assert (e.value.got, e.value.expected) == (ABC, EMPTY)


@pytest.mark.parametrize('digest', [ABC, ABC_512])
def test_check_bytes(digest):
    digests.check_bytes(b'abc', digest)
    with pytest.raises(DXFDigestMismatchError) as e:
        digests.check_bytes(b'abd', digest)
    assert e.value.expected == digest
    assert e.value.got.partition(':')[0] == digest.partition(':')[0]


@pytest.mark.parametrize('algorithm', ['md5', 'sha1', 'sha384', 'SHA256', '', '__doc__'])
def test_only_registered_algorithms_hash(algorithm):
    for make in (
        lambda: digests.new_hash(algorithm),
        lambda: digests.Hasher(algorithm),
        lambda: digests.Hasher.of(algorithm + ':00'),
        lambda: digests.check_bytes(b'', algorithm + ':00'),
    ):
        with pytest.raises(DXFUnexpectedDigestMethodError) as e:
            make()
        assert e.value.got == algorithm
        assert 'sha256' in e.value.expected


class Recorder:
    """Stands for a hash object: it has what dxf may use of one, and no more."""

    def __init__(self):
        self.content = b''

    def update(self, piece):
        self.content += bytes(piece)

    def hexdigest(self):
        return self.content.decode()


def test_the_hash_is_looked_up_when_it_is_used(monkeypatch, tmp_path):
    monkeypatch.setattr(hashlib, 'sha256', Recorder)
    path = tmp_path / 'file'
    path.write_bytes(b'content')
    assert digests.hash_bytes(b'content') == 'sha256:content'
    assert digests.hash_file(path) == 'sha256:content'
    digests.check_bytes(b'content', 'sha256:content')


def test_split_digest():
    assert digests.split_digest(ABC) == ('sha256', ABC[7:])
    assert isinstance(digests.split_digest(ABC), tuple)


@given(st.text())
def test_split_digest_takes_sha256_and_nothing_else(text):
    try:
        method, encoded = digests.split_digest(text)
    except DXFUnexpectedDigestMethodError as error:
        assert error.expected == 'sha256'
        assert error.got == text.split(':')[0] != 'sha256'
    else:
        assert method == 'sha256'
        assert encoded == text[len('sha256:') :]


@pytest.mark.parametrize(
    'digest',
    ['sha512:00', 'sha1:00', 'SHA256:00', ' sha256:00', 'sha256 :00', 'md5:', ':00', 'latest', ''],
)
def test_split_digest_refuses_other_methods(digest):
    with pytest.raises(DXFUnexpectedDigestMethodError) as e:
        digests.split_digest(digest)
    assert e.value.got == digest.partition(':')[0]


def test_algorithm():
    assert digests.algorithm(ABC) == 'sha256'
    assert digests.algorithm(ABC_512) == 'sha512'


@pytest.mark.parametrize(
    'reference', [ABC, ABC_512, 'multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8']
)
def test_a_reference_with_an_algorithm_is_a_digest(reference):
    assert digests.is_digest(reference)


@pytest.mark.parametrize(
    'reference', ['latest', 'v1.0', '', ':', 'sha256:', ':00', 'sha256:a b', ABC + '\n', 'a:b:c']
)
def test_a_tag_is_no_digest(reference):
    assert not digests.is_digest(reference)


@pytest.mark.parametrize('digest', [EMPTY, ABC, ABC_512, 'other:abc'])
def test_check_syntax_gives_digests_back(digest):
    assert digests.check_syntax(digest) == digest


@pytest.mark.parametrize(
    'text',
    [
        '',
        'latest',
        'sha256',
        'sha256:',
        'sha256:abc',
        ABC[:-1],
        ABC + '0',
        ABC + '\n',
        ABC.upper(),
        'sha256:' + ABC[7:].upper(),
        'sha256:' + 'g' * 64,
        'sha256:' + '\u0663' * 64,
        'sha512:' + ABC[7:],
        ABC_512[:-1],
        '../' + ABC,
        ABC + '/..',
        ABC + '?n=1',
    ],
)
def test_check_syntax_says_how_a_digest_is_spelt(text):
    with pytest.raises(DXFInvalidNameError, match='sha256: and 64 hexadecimal') as e:
        digests.check_syntax(text)
    assert repr(text) in str(e.value)


@given(st.text() | st.text('0123456789abcdef:sha', min_size=60))
def test_check_syntax_never_raises_another_error(text):
    try:
        assert digests.check_syntax(text) == text
    except DXFError:
        assert not (
            text.startswith('sha256:')
            and len(text) == 71
            and text[7:].isalnum()
            and text.isascii()
            and set(text[7:]) <= set('0123456789abcdef')
        )
    else:
        assert digests.is_digest(text)


def test_to_bytes_2and3():
    assert digests._to_bytes_2and3(b'\xff') == b'\xff'
    assert digests._to_bytes_2and3('ä€') == 'ä€'.encode()
