"""Layouts between dxf and the programs that others wrote, in both directions."""

import json

import pytest
import requests

from dxf.layout import BASE_URL

from .support.client import OCI_INDEX, OCI_MANIFEST, index
from .support.copiers import COPIERS, Crane, Skopeo, image
from .support.layouts import (
    LayoutFlavour,
    check_layout,
    files,
    names,
    read_index,
)
from .support.plain import PlainClient, image_config, schema2, sha256

TOOLS = ('skopeo', 'oras', 'regctl', 'crane')


@pytest.fixture(params=TOOLS)
def tool(request):
    return COPIERS[request.param](request)


@pytest.fixture
def other_tool(request):
    return lambda name: COPIERS[name](request)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'layouts'


@pytest.fixture
def flavour(folder):
    return LayoutFlavour(folder)


def one_image():
    made = image('linux/amd64')
    return made.text, OCI_MANIFEST, [made]


def some_images():
    images = [image('linux/amd64'), image('linux/arm64', 3)]
    return index(*(made.entry() for made in images)), OCI_INDEX, images


CONTENTS = {'image': one_image, 'index': some_images}


@pytest.fixture(params=CONTENTS)
def content(request):
    """`(text, media type, images)` of what an alias stands for."""
    return CONTENTS[request.param]()


def push(plain, tag, content):
    text, media_type, images = content
    for made in images:
        made.push(plain)
    plain.push_manifest(tag, text, media_type)
    if media_type == OCI_MANIFEST:
        return
    for made in images:
        assert plain.get_manifest(made.digest).text == made.text


def holds(plain, tag, content):
    """Fail unless it is there byte for byte."""
    text, media_type, images = content
    for reference in (tag, sha256(text.encode())):
        answer = plain.get_manifest(reference)
        assert answer.status_code == 200, answer.text
        assert answer.text == text
        assert answer.headers['Content-Type'] == media_type
    for made in images:
        assert plain.get_manifest(made.digest).text == made.text
        for blob in (made.config, *made.layers):
            assert plain.get_blob(sha256(blob)).content == blob


def test_their_layouts_are_read(tool, registry_http, flavour, folder, content):
    repo = registry_http.new_repo()
    with PlainClient(registry_http, repo) as source, flavour.plain('a/b') as plain:
        push(source, 'v1', content)
        (folder / 'a').mkdir(parents=True)
        tool.pull(registry_http, repo, 'v1', folder / 'a' / 'b')
        before = files(folder)
        holds(plain, 'v1', content)
        client = flavour.client('a/b')
        assert client.list_repos() == ['a/b']
        assert client.list_aliases() == ['v1']
        images = content[2]
        if len(images) == 1:
            assert client.get_alias('v1', sizes=True) == images[0].layer_sizes
        else:
            assert client.get_alias('v1') == {i.platform: i.layer_digests for i in images}
        assert files(folder) == before


def test_our_layouts_are_read(tool, registry_http, flavour, folder, content):
    repo = registry_http.new_repo()
    with PlainClient(registry_http, repo) as target, flavour.plain('a/b') as plain:
        push(plain, 'v1', content)
        check_layout(folder / 'a' / 'b')
        tool.push(folder / 'a' / 'b', 'v1', registry_http, repo)
        holds(target, 'v1', content)
        holds(plain, 'v1', content)


def test_ours_to_theirs_and_back(tool, flavour, folder, content):
    if isinstance(tool, Crane):
        pytest.skip('crane has no copying between layouts')
    with flavour.plain('ours') as ours, flavour.plain('theirs') as theirs:
        push(ours, 'v1', content)
        tool.copy(folder / 'ours', 'v1', folder / 'theirs')
        holds(theirs, 'v1', content)
        check_layout(folder / 'theirs')
        # And what is theirs can be written to.
        push(theirs, 'v2', one_image())
        tool.copy(folder / 'ours', 'v1', folder / 'theirs')
        holds(theirs, 'v1', content)
        holds(theirs, 'v2', one_image())
        theirs.delete('manifests/v1')
        assert set(names(folder / 'theirs')) == {'v2'}
        holds(theirs, 'v2', one_image())


def test_an_alias_is_read(tool, registry_http, flavour, folder):
    """What `set_alias` makes is no image: its config is none."""
    if isinstance(tool, Skopeo):
        pytest.skip('skopeo takes only OCI manifests from a layout')
    repo = registry_http.new_repo()
    client = flavour.client('a')
    text = client.set_alias('v1', client.push_blob(data=b'one'), client.push_blob(data=b'two'))
    assert text == client.get_manifest('v1')
    tool.push(folder / 'a', 'v1', registry_http, repo)
    with PlainClient(registry_http, repo) as target:
        assert target.get_manifest('v1').text == text
        assert target.get_blob(sha256(b'two')).content == b'two'


@pytest.mark.parametrize('name', ['skopeo', 'crane'])
def test_a_layout_that_names_nothing(other_tool, name, registry_http, flavour, folder, content):
    tool = other_tool(name)
    repo = registry_http.new_repo()
    folder.mkdir()
    with PlainClient(registry_http, repo) as source, flavour.plain('a') as plain:
        push(source, 'v1', content)
        if name == 'crane':
            tool(
                'pull',
                '--insecure',
                '--format=oci',
                f'{registry_http.host}/{repo}:v1',
                folder / 'a',
            )
        else:
            tool(
                *tool._copy,
                '--src-tls-verify=false',
                f'docker://{registry_http.host}/{repo}:v1',
                f'oci:{folder}/a',
            )
        assert names(folder / 'a') == {}
        assert flavour.client('a').list_aliases() == ['latest']
        holds(plain, 'latest', content)


def test_all_of_them_in_one_layout(other_tool, registry_http, flavour, folder):
    """Each adds a tag to what the others wrote."""
    repo = registry_http.new_repo()
    layout = folder / 'a'
    folder.mkdir()
    contents = {}
    with PlainClient(registry_http, repo) as source, flavour.plain('a') as plain:
        for round in ('first', 'second'):
            for name in ('crane', 'oras', 'skopeo', 'regctl'):
                tag = f'{name}-{round}'
                contents[tag] = _distinct(tag)
                push(source, tag, contents[tag])
                other_tool(name).pull(registry_http, repo, tag, layout)
                tag = f'dxf-{name}-{round}'
                contents[tag] = _distinct(tag)
                push(plain, tag, contents[tag])
        assert flavour.client('a').list_aliases() == sorted(contents)
        for tag, content in contents.items():
            holds(plain, tag, content)
    check_layout(layout)
    tool = other_tool('regctl')
    found = tool('tag', 'ls', f'ocidir://{layout}').decode().split()
    assert sorted(found) == sorted(contents)


def _distinct(tag):
    made = image('linux/amd64')
    made.text = json.dumps(dict(json.loads(made.text), annotations={'tag': tag}))
    return made.text, OCI_MANIFEST, [made]


# Artifacts, and what refers to what


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'file.txt').write_text('hello')
    return 'file.txt'


def test_artifacts_of_oras(other_tool, flavour, folder, file, tmp_path):
    oras = other_tool('oras')
    layout = folder / 'a'
    oras(
        'push',
        '--oci-layout',
        f'{layout}:v1',
        '--artifact-type',
        'application/x-thing',
        f'{file}:text/plain',
    )
    oras('attach', '--oci-layout', f'{layout}:v1', '--artifact-type', 'application/x-sig', file)
    client, http = flavour.client('a'), flavour.session(requests.Session())
    assert client.list_aliases() == ['v1']
    assert client.get_alias('v1') == [sha256(b'hello')]
    assert b''.join(client.pull_blob(sha256(b'hello'))) == b'hello'
    digest = client.head_manifest_and_response('v1')[0]
    found = http.get(f'{BASE_URL}v2/a/referrers/{digest}').json()['manifests']
    assert [entry['artifactType'] for entry in found] == ['application/x-sig']
    assert found[0]['annotations']['org.opencontainers.image.created']
    # What we add they find.
    document = json.loads(client.get_manifest('v1'))
    document['subject'] = {
        'mediaType': OCI_MANIFEST,
        'digest': digest,
        'size': len(client.get_manifest('v1')),
    }
    document['artifactType'] = 'application/x-ours'
    client.set_manifest(sha256(json.dumps(document).encode()), json.dumps(document))
    listed = json.loads(oras('discover', '--oci-layout', f'{layout}:v1', '--format', 'json'))
    kinds = {entry['artifactType'] for entry in listed.get('referrers') or listed['manifests']}
    assert kinds == {'application/x-sig', 'application/x-ours'}
    out = tmp_path / 'out'
    oras('pull', '--oci-layout', f'{layout}:v1', '-o', out)
    assert (out / 'file.txt').read_text() == 'hello'
    check_layout(layout)


def test_artifacts_of_regctl(other_tool, flavour, folder, file):
    regctl = other_tool('regctl')
    layout = f'ocidir://{folder}/a'
    regctl('artifact', 'put', '--artifact-type', 'application/x-thing', '-f', file, f'{layout}:v1')
    regctl(
        'artifact',
        'put',
        '--artifact-type',
        'application/x-sig',
        '-f',
        file,
        '--subject',
        f'{layout}:v1',
    )
    client, http = flavour.client('a'), flavour.session(requests.Session())
    digest = client.head_manifest_and_response('v1')[0]
    # It keeps referrers under a tag, as at a registry without the endpoint.
    assert client.list_aliases() == ['sha256-' + digest[7:], 'v1']
    found = http.get(f'{BASE_URL}v2/a/referrers/{digest}').json()['manifests']
    assert [entry['artifactType'] for entry in found] == ['application/x-sig']
    assert client.get_manifest(found[0]['digest'])
    assert regctl('artifact', 'get', f'{layout}:v1') == b'hello'
    # It throws away what is not listed: what we list stays.
    other = client.set_alias('other', client.push_blob(data=b'kept'))
    regctl('artifact', 'put', '--artifact-type', 'application/x-thing', '-f', file, f'{layout}:v3')
    assert client.get_manifest('other') == other
    assert b''.join(client.pull_blob(sha256(b'kept'))) == b'kept'
    check_layout(folder / 'a')


def test_what_regctl_throws_away(other_tool, flavour, folder, file):
    """A manifest that has lost its tag, and the manifests of an index, are not that."""
    regctl = other_tool('regctl')
    images = some_images()
    with flavour.plain('a') as plain:
        push(plain, 'v1', images)
        push(plain, 'v2', one_image())
        plain.delete('manifests/v2')
        regctl(
            'artifact',
            'put',
            '--artifact-type',
            'application/x',
            '-f',
            file,
            f'ocidir://{folder}/a:v3',
        )
        holds(plain, 'v1', images)
        assert plain.get_manifest(sha256(one_image()[0].encode())).text == one_image()[0]
    assert len(read_index(folder / 'a')['manifests']) == 3


def test_docker_schema2_images(tool, registry_http, flavour, folder):
    """What a Docker registry holds is in a layout what it was."""
    if isinstance(tool, Skopeo):
        pytest.skip('skopeo takes only OCI manifests from a layout')
    layers = [b'first', b'second']
    config = image_config(*layers)
    text = schema2(config, *layers)
    with flavour.plain('a') as plain:
        for blob in (config, *layers):
            plain.push_blob(blob)
        plain.push_manifest('v1', text)
    repo = registry_http.new_repo()
    tool.push(folder / 'a', 'v1', registry_http, repo)
    with PlainClient(registry_http, repo) as target:
        assert target.get_manifest('v1').text == text
