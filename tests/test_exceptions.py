"""Errors: each prints as one line, and survives being copied and sent to another process."""

import copy
import inspect
import pickle

import pytest
import requests

import dxf
from dxf import exceptions

GOT = 'sha256:' + 'a' * 64
EXPECTED = 'sha256:' + 'b' * 64


def refusal():
    response = requests.Response()
    response.status_code = 400
    response.url = 'http://localhost/v2/'
    response._content = b'{"errors": []}'
    response.request = requests.Request('PUT', 'http://localhost/v2/').prepare()
    return response


# One of each; arguments, and the attributes that they are kept as.
MADE = [
    (exceptions.DXFError, ('something',), {}),
    (exceptions.DXFUnexpectedError, (1, [2]), {'got': 1, 'expected': [2]}),
    (exceptions.DXFUnexpectedStatusCodeError, (404, 401), {'got': 404, 'expected': 401}),
    (exceptions.DXFDigestMismatchError, (GOT, EXPECTED), {'got': GOT, 'expected': EXPECTED}),
    (exceptions.DXFUnexpectedKeyTypeError, ('RSA', 'EC'), {'got': 'RSA', 'expected': 'EC'}),
    (
        exceptions.DXFUnexpectedDigestMethodError,
        ('md5', 'sha256'),
        {'got': 'md5', 'expected': 'sha256'},
    ),
    (exceptions.DXFDisallowedSignatureAlgorithmError, ('none',), {'alg': 'none'}),
    (exceptions.DXFSignatureChainNotImplementedError, (), {}),
    (exceptions.DXFInvalidSignatureError, ('it has none',), {'reason': 'it has none'}),
    (exceptions.DXFUnauthorizedError, (), {}),
    (exceptions.DXFAuthInsecureError, (), {}),
    (exceptions.DXFDigestNotAvailableForSchema1, (), {}),
    (exceptions.DXFMountFailed, (), {}),
    (exceptions.DXFUnsupportedSchemaType, ('text/html',), {'media_type': 'text/html'}),
    (exceptions.DXFPlatformDataNotFound, ('linux/arm',), {'platform': 'linux/arm'}),
    (
        exceptions.DXFInvalidManifestError,
        ('layers[0].digest', 'is missing'),
        {'field': 'layers[0].digest', 'problem': 'is missing', 'manifest': None},
    ),
    (
        exceptions.DXFInvalidManifestError,
        ('layers', 'is missing', 'v1'),
        {'field': 'layers', 'problem': 'is missing', 'manifest': 'v1'},
    ),
    (
        exceptions.DXFInvalidNameError,
        ('alias', 'a\nb', 'a rule'),
        {'what': 'alias', 'name': 'a\nb', 'rule': 'a rule'},
    ),
    (exceptions.DXFConfigurationError, ('DXF_HOST is not set',), {}),
    (exceptions.DXFBundleError, ('/a/bundle.pem',), {}),
    (exceptions.DXFConnectionCutError, (), {}),
    (exceptions.DXFProxyError, ('https',), {}),
    (exceptions.DXFClientCertificateError, ('/a/cert.pem', '/a/key.pem'), {}),
    (
        exceptions.DXFNotARegistryError,
        ('http://localhost/', 'it is a web page'),
        {'address': 'http://localhost/', 'reason': 'it is a web page'},
    ),
    (exceptions.DXFMalformedChallengeError, ('it has none',), {'reason': 'it has none'}),
    (
        exceptions.DXFTokenError,
        ('http://localhost/token', 'no JSON'),
        {'address': 'http://localhost/token', 'reason': 'no JSON'},
    ),
    (
        exceptions.DXFCredentialsError,
        ('docker-credential-pass', 'it failed'),
        {'source': 'docker-credential-pass', 'problem': 'it failed'},
    ),
    (exceptions.DXFCannotRewindError, (), {}),
    (exceptions.DXFFileChangedError, (10, 5), {'size': 10, 'got': 5}),
    (
        exceptions.DXFContentChangedError,
        (GOT, EXPECTED),
        {'got': GOT, 'expected': EXPECTED, 'response': None},
    ),
    (
        exceptions.DXFContentChangedError,
        (GOT, EXPECTED, refusal()),
        {'got': GOT, 'expected': EXPECTED},
    ),
    (
        exceptions.DXFUnsafePathError,
        ('../a', 'has .. in it'),
        {'path': '../a', 'problem': 'has .. in it'},
    ),
    (
        exceptions.DXFInvalidArchiveError,
        ('images', 'it ends too soon'),
        {'name': 'images', 'problem': 'it ends too soon'},
    ),
    (
        exceptions.DXFSizeMismatchError,
        (3, 4, 'sha256:0'),
        {'got': 3, 'expected': 4, 'digest': 'sha256:0'},
    ),
    (exceptions.DXFNoFilesError, ('latest',), {'alias': 'latest'}),
    (exceptions.DXFDeletionDisabledError, (), {'response': None}),
    (exceptions.DXFDeletionDisabledError, (refusal(),), {}),
    (exceptions.DXFSchema1RefusedError, ('500',), {'response': None}),
    (exceptions.DXFSchema1RefusedError, ('500', refusal()), {}),
    (exceptions.DXFUntagCutError, ('latest', GOT), {'alias': 'latest', 'digest': GOT}),
]

each = pytest.mark.parametrize(
    ('kind', 'arguments', 'attributes'),
    [pytest.param(*made, id=f'{made[0].__name__}-{len(made[1])}') for made in MADE],
)


def every_class():
    return {
        value
        for value in vars(exceptions).values()
        if inspect.isclass(value) and value.__module__ == exceptions.__name__
    }


def test_every_error_is_tried_here():
    assert every_class() == {kind for kind, _, _ in MADE}


def test_every_error_derives_from_one():
    for kind in every_class():
        assert issubclass(kind, exceptions.DXFError)
        assert kind.__doc__
        assert kind.__name__.startswith('DXF')


def test_the_contract_s_hierarchy():
    for kind in (
        exceptions.DXFUnexpectedStatusCodeError,
        exceptions.DXFDigestMismatchError,
        exceptions.DXFUnexpectedKeyTypeError,
        exceptions.DXFUnexpectedDigestMethodError,
    ):
        assert issubclass(kind, exceptions.DXFUnexpectedError)
    # Who catches the registry's refusal catches this.
    assert issubclass(exceptions.DXFContentChangedError, requests.exceptions.HTTPError)
    assert dxf.exceptions is exceptions


@each
def test_attributes(kind, arguments, attributes):
    error = kind(*arguments)
    assert {name: getattr(error, name) for name in attributes} == attributes


@each
def test_one_line_is_printed(kind, arguments, attributes):
    text = str(kind(*arguments))
    assert text
    assert text == text.strip()
    assert '\n' not in text
    assert 'None' not in text
    assert not text.endswith('.')


@each
def test_what_it_is_about_is_printed(kind, arguments, attributes):
    text = str(kind(*arguments))
    for argument in arguments:
        if isinstance(argument, (str, int)):
            assert str(argument) in text or repr(argument) in text


@each
@pytest.mark.parametrize(
    'again',
    [
        copy.copy,
        copy.deepcopy,
        *(
            pytest.param(
                lambda error, n=n: pickle.loads(pickle.dumps(error, protocol=n)), id=f'pickle{n}'
            )
            for n in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
    ],
)
def test_a_copy_is_the_same(kind, arguments, attributes, again):
    error = kind(*arguments)
    error.note = 'set by a program'
    made = again(error)
    assert type(made) is kind
    assert made is not error
    assert str(made) == str(error)
    assert made.note == 'set by a program'
    assert {name: getattr(made, name) for name in attributes} == attributes


@pytest.mark.parametrize('again', [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_a_copied_refusal_has_the_registry_s_answer(again):
    made = again(exceptions.DXFContentChangedError(GOT, EXPECTED, refusal()))
    assert made.response.status_code == 400
    assert made.response.json() == {'errors': []}


def test_a_refusal_has_its_request():
    response = refusal()
    error = exceptions.DXFContentChangedError(GOT, EXPECTED, response)
    assert error.response is response
    assert error.request is response.request


def test_errors_without_arguments_take_none():
    for kind, arguments, _ in MADE:
        if not arguments:
            assert kind().args == ()


def test_got_and_expected_may_be_of_any_type():
    got, expected = object(), ['a list']
    error = exceptions.DXFUnexpectedError(got, expected)
    assert error.got is got
    assert error.expected is expected
    assert repr(got) in str(error)
