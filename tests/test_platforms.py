"""Platforms: other spellings of the same one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dxf.platforms import same

EQUAL = [
    ('linux/amd64', 'linux/x86_64'),
    ('linux/amd64', 'linux/x86-64'),
    ('linux/amd64', 'linux/amd64/v1'),
    ('linux/x86_64', 'linux/amd64/v1'),
    ('linux/386', 'linux/i386'),
    ('linux/arm64', 'linux/arm64/v8'),
    ('linux/arm64', 'linux/arm64/8'),
    ('linux/arm64', 'linux/aarch64'),
    ('linux/arm64', 'linux/aarch64/v8'),
    ('linux/arm', 'linux/arm/v7'),
    ('linux/arm', 'linux/arm/7'),
    ('linux/arm', 'linux/armhf'),
    ('linux/arm/v7', 'linux/armhf'),
    ('linux/arm/v6', 'linux/arm/6'),
    ('linux/arm/v6', 'linux/armel'),
    ('linux/arm/v5', 'linux/arm/5'),
    ('darwin/arm64', 'macos/aarch64'),
    ('LINUX/AMD64', 'linux/amd64'),
]

DIFFERENT = [
    ('linux/amd64', 'linux/arm64'),
    ('linux/amd64', 'windows/amd64'),
    ('linux/amd64', 'linux/amd64/v2'),
    ('linux/amd64', 'linux/386'),
    ('linux/arm', 'linux/arm/v6'),
    ('linux/arm', 'linux/arm64'),
    ('linux/arm/v6', 'linux/arm/v7'),
    ('linux/arm64', 'linux/arm64/v9'),
    ('linux/arm/v8', 'linux/arm64/v8'),
    ('linux', 'linux/amd64'),
    ('linux/amd64', 'linux'),
    ('amd64', 'linux/amd64'),
    ('', 'linux/amd64'),
    ('linux/', 'linux/amd64'),
]


@pytest.mark.parametrize(('one', 'other'), EQUAL)
def test_spellings_of_one_platform(one, other):
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(('one', 'other'), DIFFERENT)
def test_different_platforms(one, other):
    assert not same(one, other)
    assert not same(other, one)


def test_a_platform_without_the_system_s_version_is_of_any_version():
    assert same('windows/amd64', 'windows(10.0.20348.2700)/amd64')
    assert same('windows(10.0.20348.2700)/x86_64', 'windows(10.0.20348.2700)/amd64')


def test_a_platform_with_the_system_s_version_is_of_that_version_alone():
    assert not same('windows(10.0.17763.1)/amd64', 'windows(10.0.20348.2700)/amd64')
    assert not same('windows(10.0.17763.1)/amd64', 'windows/amd64')
    assert not same('windows(10.0.17763.1)/arm64', 'windows(10.0.17763.1)/amd64')


def test_a_platform_without_a_digest_is_any_of_those_told_apart_by_one():
    digest = 'sha256:' + 'a' * 64
    assert same('linux/amd64', 'linux/amd64@' + digest)
    assert same('linux/x86_64', 'linux/amd64@' + digest)
    assert same('linux/amd64@' + digest, 'linux/amd64@' + digest)
    assert not same('linux/arm64', 'linux/amd64@' + digest)
    assert not same('linux/amd64@sha256:' + 'b' * 64, 'linux/amd64@' + digest)
    assert not same('linux/amd64@' + digest, 'linux/amd64')


@given(st.text(), st.text())
def test_any_text_can_be_compared(one, other):
    assert same(one, other) in (True, False)
    assert same(one, one)
