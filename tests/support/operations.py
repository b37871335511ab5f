"""Every public operation on a registry, each with what must be so when it has returned.

An operation is a generator over a World: it arranges, yields what is to be done with a DXF,
is sent what that returned, and checks. It may return how the registry had it done.
"""

import hashlib
import io
import json

from requests.exceptions import HTTPError

from dxf.exceptions import DXFDigestMismatchError

from .client import Image, index
from .plain import IMAGE_CONFIG, LAYER, SCHEMA2, PlainClient, descriptor, sha256

SIZES = (0, 1, 1000, 1000, 70_000, 300_001, 300_001, 1_500_000)
SMALL_SIZES = (0, 1, 5000, 5000, 70_000)

OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

TITLE = 'org.opencontainers.image.title'

#: name -> generator function
OPERATIONS = {}


def operation(function):
    OPERATIONS[function.__name__] = function
    return function


class World:
    """What an operation has around it: a repository that is reached past the proxy.

    `random` decides on sizes and arguments. `contents`: whatever may be in the registry.
    """

    def __init__(self, flavour, folder, random):
        self.flavour = flavour
        self.folder = folder
        self.random = random
        self.repo = flavour.new_repo('faults')
        self.plain = PlainClient(flavour, self.repo)
        self.plains = [self.plain]
        self.contents = []
        #: Whether what is pushed is more than dxf keeps of it.
        self.too_long_to_rewind = False
        #: More keyword arguments for DXF.
        self.settings = {}
        #: What in dxf is replaced meanwhile: dotted name -> value.
        self.patches = {}
        #: The longest body that is let through to the registry, in bytes.
        self.max_body = None

    def close(self):
        for plain in self.plains:
            plain.close()

    def content(self, sizes=SIZES):
        size = self.random.choice(sizes)
        made = self.random.getrandbits(8 * size or 1).to_bytes(size, 'little') if size else b''
        self.contents.append(made)
        return made

    def blob(self, sizes=SIZES):
        """A blob that is there."""
        made = self.content(sizes)
        self.plain.push_blob(made)
        return made

    def file(self, content):
        path = self.folder / f'content{len(list(self.folder.iterdir()))}'
        path.write_bytes(content)
        return str(path)

    def elsewhere(self):
        """A client for another repository."""
        self.plains.append(PlainClient(self.flavour, self.flavour.new_repo('faults')))
        return self.plains[-1]

    def alias(self, name='latest'):
        """The layers of an alias that is there, and its text."""
        layers = [self.blob(SMALL_SIZES) for _ in range(self.random.choice((1, 2, 3)))]
        text = manifest(layers)
        self.plain.push_manifest(name, text)
        return layers, text

    def multi_arch_alias(self, name='latest', machines=('amd64', 'arm64', 's390x')):
        images = [Image(f'linux/{machine}') for machine in machines]
        for image in images:
            image.push(self.plain)
            self.contents.extend([image.config, *image.layers])
        text = index(*(image.entry() for image in images))
        self.plain.push_manifest(name, text, OCI_INDEX)
        return images

    def holds(self, content, plain=None):
        answer = (plain or self.plain).get_blob(sha256(content))
        assert answer.status_code == 200, 'the blob is not there'
        assert answer.content == content, 'the blob is another one'

    def nothing_is_misnamed(self):
        """Whatever the registry has under a digest has that digest."""
        for plain in self.plains:
            for content in self.contents:
                answer = plain.get_blob(sha256(content))
                assert answer.status_code in (200, 404)
                assert answer.status_code == 404 or answer.content == content, (
                    'a blob is stored under a digest that is not its own'
                )


def manifest(layers):
    """What dxf makes of these, with keys and layers in the contract's order."""
    described = [
        {'mediaType': LAYER, 'size': len(layer), 'digest': sha256(layer)} for layer in layers
    ]
    return json.dumps(
        {
            'schemaVersion': 2,
            'mediaType': SCHEMA2,
            'config': dict(described[0], mediaType=IMAGE_CONFIG),
            'layers': described,
        },
        sort_keys=True,
    )


def pieces(content, size=50_000):
    for start in range(0, len(content), size):
        yield content[start : start + size]


# Pushing


def _pushed(world, content, digest):
    assert digest == sha256(content)
    world.holds(content)


@operation
def push_blob_file(world):
    content = world.content()
    name, check = world.file(content), world.random.random() < 0.6
    seen = []
    report = world.random.choice((None, lambda digest, piece, size: seen.append(piece)))
    digest = yield lambda dxf: dxf.push_blob(name, report, check_exists=check)
    _pushed(world, content, digest)
    if seen:
        assert b''.join(map(bytes, seen)) == content


@operation
def push_blob_bytes(world):
    content = world.content()
    digest = sha256(content) if world.random.random() < 0.5 else None
    check = world.random.random() < 0.7
    _pushed(
        world,
        content,
        (yield lambda dxf: dxf.push_blob(data=content, digest=digest, check_exists=check)),
    )


@operation
def push_blob_file_object(world):
    content = world.content()
    before = world.random.choice((0, len(content) // 2))
    digest = sha256(content) if world.random.random() < 0.5 and not before else None
    world.contents.append(content[before:])
    file = io.BytesIO(content)
    file.seek(before)
    check = world.random.random() < 0.5
    _pushed(
        world,
        content[before:],
        (yield lambda dxf: dxf.push_blob(data=file, digest=digest, check_exists=check)),
    )


@operation
def push_blob_under_a_wrong_digest(world):
    """It is refused, and nothing is there under that digest."""
    content, other = world.content((1000, 300_001)), world.content((1000,))

    def push(dxf):
        try:
            return dxf.push_blob(data=content, digest=sha256(other))
        except DXFDigestMismatchError:
            return None

    assert (yield push) is None
    assert world.plain.get_blob(sha256(other)).status_code == 404


@operation
def push_blob_stream(world):
    content = world.content()
    digest = sha256(content) if world.random.random() < 0.3 else None
    world.too_long_to_rewind = True
    _pushed(world, content, (yield lambda dxf: dxf.push_blob(data=pieces(content), digest=digest)))


@operation
def push_blob_there_already(world):
    content = world.blob()
    name = world.file(content)
    _pushed(world, content, (yield lambda dxf: dxf.push_blob(name)))


@operation
def push_blob_in_chunks(world):
    """They are asked for, or a proxy on the way takes bodies of some size only."""
    content = world.content((1_500_000,))
    if world.random.random() < 0.5:
        world.max_body = 400_000
    else:
        world.settings = {'upload_chunk_size': 200_000}
    name = world.file(content)
    _pushed(world, content, (yield lambda dxf: dxf.push_blob(name, check_exists=False)))


@operation
def push_blobs(world):
    contents = [world.content(SMALL_SIZES) for _ in range(world.random.choice((1, 5, 18)))]
    names = [world.file(content) for content in contents]
    digests = yield lambda dxf: dxf.push_blobs(names)
    assert len(digests) == len(contents)
    for content, digest in zip(contents, digests):
        _pushed(world, content, digest)


# Pulling


def _exact(chunks, size):
    """The content that chunks make."""
    chunks = list(chunks)
    assert all(len(chunk) == size for chunk in chunks[:-1])
    return b''.join(chunks)


@operation
def pull_blob(world):
    content = world.blob()
    size = world.random.choice((None, 1000, 100_000, 1 << 20))
    got = yield lambda dxf: _exact(dxf.pull_blob(sha256(content), chunk_size=size), size or 8192)
    assert got == content


@operation
def pull_blob_and_size(world):
    content = world.blob()

    def pull(dxf):
        chunks, size = dxf.pull_blob(sha256(content), size=True)
        return b''.join(chunks), size

    assert (yield pull) == (content, len(content))


@operation
def pull_blobs(world):
    contents = [world.blob(SMALL_SIZES) for _ in range(world.random.choice((1, 5, 18)))]
    digests = [sha256(content) for content in contents]
    got = yield lambda dxf: [
        (digest, b''.join(chunks)) for digest, chunks in dxf.pull_blobs(digests)
    ]
    assert got == list(zip(digests, contents))


@operation
def save_blobs(world):
    contents = [world.blob() for _ in range(world.random.choice((1, 3)))]
    path = world.folder / 'saved'
    before = world.random.choice((None, b'what was there before'))
    if before:
        path.write_bytes(before)
    digests = [sha256(content) for content in contents]

    def save(dxf):
        try:
            return dxf.save_blobs(str(path), digests)
        except BaseException:
            # Nothing but the whole stands under the final name.
            there = path.read_bytes() if path.exists() else None
            assert there in (before, b''.join(contents)), 'a part has the final name'
            raise

    assert (yield save) is None
    assert path.read_bytes() == b''.join(contents)


@operation
def save_blobs_in_ranges(world):
    """As if one connection were slow."""
    world.patches = {
        'dxf.ranges.RANGE_SIZE': 64 * 1024,
        'dxf.ranges.Pace.is_worth_more': lambda pace, left: left > 0,
    }
    content = world.blob((300_001, 1_500_000))
    path = world.folder / 'saved'
    yield lambda dxf: dxf.save_blobs(str(path), [sha256(content)])
    assert path.read_bytes() == content


@operation
def save_blobs_again(world):
    """What the first call leaves is gone on with by the second."""
    contents = [world.blob((300_001, 1_500_000)) for _ in range(world.random.choice((1, 2)))]
    path = world.folder / 'saved'
    digests = [sha256(content) for content in contents]

    def save(dxf):
        try:
            return dxf.save_blobs(str(path), digests)
        except Exception:
            return dxf.save_blobs(str(path), digests)

    yield save
    assert path.read_bytes() == b''.join(contents)


@operation
def pull_blob_that_is_missing(world):
    """Its 404 is not mistaken for something that passes, nor the other way round."""
    digest = sha256(world.content((1000,)))

    def pull(dxf):
        try:
            return list(dxf.pull_blob(digest))
        except HTTPError as error:
            if error.response.status_code != 404:
                raise
            return None

    assert (yield pull) is None


@operation
def blob_size(world):
    content = world.blob()
    assert (yield lambda dxf: dxf.blob_size(sha256(content))) == len(content)


@operation
def mount_blob(world):
    content, other = world.content(), world.elsewhere()
    other.push_blob(content)
    _pushed(world, content, (yield lambda dxf: dxf.mount_blob(other.repo, sha256(content))))


@operation
def del_blob(world):
    content = world.blob()
    assert (yield lambda dxf: dxf.del_blob(sha256(content))) is None
    assert world.plain.get_blob(sha256(content)).status_code == 404, 'the blob is still there'


# Aliases


def _stored(world, text):
    answer = world.plain.get_manifest('latest')
    assert answer.status_code == 200, 'the manifest is not there'
    assert answer.text == text, 'the manifest is another one'


@operation
def set_alias(world):
    layers = [world.blob(SMALL_SIZES) for _ in range(world.random.choice((1, 3)))]
    text = yield lambda dxf: dxf.set_alias('latest', *map(sha256, layers))
    assert text == manifest(layers)
    _stored(world, text)


@operation
def set_manifest(world):
    layers = [world.blob(SMALL_SIZES)]
    text = manifest(layers) + '\n' * world.random.choice((0, 1000))
    assert (yield lambda dxf: dxf.set_manifest('latest', text)) is None
    _stored(world, text)


@operation
def make_manifest(world):
    layers = [world.blob(SMALL_SIZES) for _ in range(world.random.choice((1, 4)))]
    assert (yield lambda dxf: dxf.make_manifest(*map(sha256, layers))) == manifest(layers)


@operation
def get_manifest(world):
    text = world.alias()[1]
    by = world.random.choice(('latest', sha256(text.encode())))
    assert (yield lambda dxf: dxf.get_manifest(by)) == text


@operation
def get_manifest_of_platforms(world):
    images = world.multi_arch_alias()
    got = yield lambda dxf: dxf.get_manifest('latest')
    assert got == {image.platform: image.text for image in images}


@operation
def get_manifest_and_response(world):
    text = world.alias()[1]
    got, response = yield lambda dxf: dxf.get_manifest_and_response('latest')
    assert got == response.text == text
    assert response.content == text.encode()


@operation
def head_manifest_and_response(world):
    text = world.alias()[1]
    got, response = yield lambda dxf: dxf.head_manifest_and_response('latest')
    assert got == sha256(text.encode())
    assert response.status_code == 200


@operation
def get_alias(world):
    layers = world.alias()[0]
    sizes = world.random.random() < 0.5
    got = yield lambda dxf: dxf.get_alias('latest', sizes=sizes)
    assert got == [(sha256(layer), len(layer)) if sizes else sha256(layer) for layer in layers]


@operation
def get_alias_of_platforms(world):
    images = world.multi_arch_alias()
    if world.random.random() < 0.5:
        got = yield lambda dxf: dxf.get_alias('latest', platform=images[0].platform)
        assert got == images[0].layer_digests
    else:
        got = yield lambda dxf: dxf.get_alias('latest')
        assert got == {image.platform: image.layer_digests for image in images}


@operation
def get_digest(world):
    layers = world.alias()[0]
    assert (yield lambda dxf: dxf.get_digest('latest')) == sha256(layers[0])


@operation
def del_alias(world):
    layers = world.alias()[0]
    got = yield lambda dxf: dxf.del_alias('latest')
    assert got == [sha256(layer) for layer in layers]
    assert world.plain.get_manifest('latest').status_code == 404, 'the alias is still there'


@operation
def resolve(world):
    text = world.alias()[1]
    by = world.random.choice(('latest', sha256(text.encode())))
    assert (yield lambda dxf: dxf.resolve(by)) == sha256(text.encode())


@operation
def tag(world):
    text = world.alias('old')[1]
    by = world.random.choice(('old', sha256(text.encode())))
    names = ['latest', 'newer'][: world.random.choice((1, 2))]
    assert (yield lambda dxf: dxf.tag(by, *names)) == sha256(text.encode())
    _stored(world, text)


@operation
def tag_of_platforms(world):
    world.multi_arch_alias('old')
    text = world.plain.get_manifest('old').text
    assert (yield lambda dxf: dxf.tag('old', 'latest')) == sha256(text.encode())
    _stored(world, text)


@operation
def untag(world):
    """What else stands for the same manifest does so all the same, whatever comes of it."""
    text = world.alias('other')[1]
    world.plain.push_manifest('latest', text)

    def untag(dxf):
        try:
            return dxf.untag('latest')
        finally:
            assert world.plain.get_manifest('other').text == text, 'another alias is gone'

    assert (yield untag) is None
    assert world.plain.get_manifest('latest').status_code == 404, 'the alias is still there'
    by_name = world.plain.repo_request('DELETE', 'manifests/other').status_code == 202
    return 'by its name' if by_name else 'with a manifest to be thrown away'


def _whole(other, name, contents, manifests=()):
    """Whether an alias is there. If it is, so is all that it stands for."""
    if other.get_manifest(name).status_code != 200:
        return False
    for content in contents:
        answer = other.get_blob(sha256(content))
        assert (answer.status_code, answer.content) == (200, content), 'half of an alias is there'
    for text in manifests:
        answer = other.get_manifest(sha256(text.encode()))
        assert (answer.status_code, answer.text) == (200, text), 'half of an alias is there'
    return True


def _copied(world, text, contents, manifests=(), **options):
    """Copy `latest` to another repository, which is asked what it has however that ends."""
    other = world.elsewhere()

    def copy(dxf):
        try:
            return dxf.copy('latest', type(dxf).from_base(dxf, other.repo), **options)
        finally:
            _whole(other, 'latest', contents, manifests)

    assert (yield copy) == sha256(text.encode())
    assert other.get_manifest('latest').text == text
    assert _whole(other, 'latest', contents, manifests)
    return other


@operation
def copy_within_a_registry(world):
    layers, text = world.alias()
    yield from _copied(world, text, layers)


@operation
def copy(world):
    """As if the other repository were in another registry."""
    world.patches = {'dxf.copies._is_same_registry': lambda one, other: False}
    layers = [world.blob() for _ in range(world.random.choice((1, 3)))]
    text = manifest(layers)
    world.plain.push_manifest('latest', text)
    yield from _copied(world, text, layers)


@operation
def copy_of_platforms(world):
    """With what refers to one of them. There is but one: much is asked for each."""
    if world.random.random() < 0.7:
        world.patches = {'dxf.copies._is_same_registry': lambda one, other: False}
    images = world.multi_arch_alias(machines=('amd64',))
    contents = [part for image in images for part in (image.config, *image.layers)]
    text = world.plain.get_manifest('latest').text
    subject = images[0].text.encode()
    files, about = _stored_artifact(world, None, subject=descriptor(subject, OCI_MANIFEST))
    if not _lists_referrers(world.plain, images[0].digest):
        entry = {**descriptor(about.encode(), OCI_MANIFEST), 'artifactType': 'text/x-test'}
        world.plain.push_manifest(images[0].digest.replace(':', '-'), index(entry), OCI_INDEX)
    other = yield from _copied(
        world, text, [*contents, *(content for _, content in files)],
        [*(image.text for image in images), about], referrers=True,
    )  # fmt: skip
    listed = _lists_referrers(other, images[0].digest) or other.get_manifest(
        images[0].digest.replace(':', '-')
    )
    assert [one['digest'] for one in listed.json()['manifests']] == [sha256(about.encode())]


def _lists_referrers(plain, digest):
    """What a registry lists that refers to a manifest; None if it leaves that to a tag."""
    answer = plain.repo_request('GET', f'referrers/{digest}')
    return None if answer.status_code == 404 else answer


# Lists and the rest


@operation
def list_platforms(world):
    images = world.multi_arch_alias()
    assert (yield lambda dxf: dxf.list_platforms('latest')) == [i.platform for i in images]


@operation
def list_manifests(world):
    images = world.multi_arch_alias()
    got = yield lambda dxf: dxf.list_manifests('latest')
    assert [(one.digest, one.platform) for one in got] == [(i.digest, i.platform) for i in images]


@operation
def list_aliases(world):
    names = {f'v{i}' for i in range(world.random.choice((1, 3)))}
    text = world.alias('v0')[1]
    for name in names - {'v0'}:
        world.plain.push_manifest(name, text)
    iterate = world.random.random() < 0.5
    got = yield lambda dxf: list(dxf.list_aliases(iterate=iterate))
    assert sorted(got) == sorted(names)


@operation
def list_repos(world):
    world.blob((1,))
    # So many that there are some pages, however many ran before.
    want = _catalog(world.plain)
    batch = max(1, len(want) // 3)
    assert (yield lambda dxf: list(dxf.list_repos(batch_size=min(batch, 1000)))) == want


def _artifact(layers, **fields):
    """The manifest of files under their names, and its text."""
    described = [
        {**descriptor(content), 'annotations': {TITLE: title}} for title, content in layers
    ]
    return json.dumps(
        {
            'schemaVersion': 2,
            'mediaType': OCI_MANIFEST,
            'artifactType': 'text/x-test',
            'config': descriptor(b'{}', 'application/vnd.oci.empty.v1+json'),
            'layers': described,
            **fields,
        }
    )


def _named_files(world):
    return [(f'{number}/file', world.content(SMALL_SIZES)) for number in range(3)]


def _check_artifact(world, reference, files):
    stored = world.plain.get_manifest(reference)
    assert stored.status_code == 200
    found = [
        (layer['annotations'][TITLE], layer['digest'], layer['size'])
        for layer in stored.json()['layers']
    ]
    assert found == [(name, sha256(content), len(content)) for name, content in files]
    for _, content in files:
        world.holds(content)
    world.holds(b'{}')
    return stored


@operation
def push_artifact(world):
    files = _named_files(world)
    paths = {name: world.file(content) for name, content in files}
    digest = yield lambda dxf: dxf.push('latest', paths, 'text/x-test')
    assert sha256(_check_artifact(world, 'latest', files).content) == digest


@operation
def attach(world):
    files = _named_files(world)
    paths = {name: world.file(content) for name, content in files}
    text = world.alias()[1]
    digest = yield lambda dxf: dxf.attach('latest', paths, 'text/x-test')
    stored = _check_artifact(world, digest, files).json()
    subject = sha256(text.encode())
    assert stored['subject'] == dict(descriptor(text.encode(), SCHEMA2))
    # Where there is no such endpoint, they are listed under a tag.
    answer = world.plain.repo_request('GET', 'referrers/' + subject)
    if answer.status_code == 404:
        answer = world.plain.get_manifest(subject.replace(':', '-'))
    assert [entry['digest'] for entry in answer.json()['manifests']] == [digest]


def _stored_artifact(world, reference, **fields):
    files = _named_files(world)
    for content in [b'{}', *(content for _, content in files)]:
        world.plain.push_blob(content)
    text = _artifact(files, **fields)
    world.plain.push_manifest(reference or sha256(text.encode()), text, OCI_MANIFEST)
    return files, text


@operation
def list_referrers(world):
    subject = world.alias()[1].encode()
    text = _stored_artifact(world, None, subject=descriptor(subject, SCHEMA2))[1]
    entry = {**descriptor(text.encode(), OCI_MANIFEST), 'artifactType': 'text/x-test'}
    world.plain.push_manifest(sha256(subject).replace(':', '-'), index(entry), OCI_INDEX)
    (found,) = yield lambda dxf: dxf.list_referrers('latest')
    assert (found.digest, found.artifact_type) == (sha256(text.encode()), 'text/x-test')


@operation
def pull_artifact(world):
    files = _stored_artifact(world, 'latest')[0]
    folder = world.folder / 'pulled'
    paths = yield lambda dxf: dxf.pull('latest', str(folder))
    assert paths == [str(folder / name) for name, _ in files]
    for name, content in files:
        assert (folder / name).read_bytes() == content


def _catalog(plain):
    names, page = [], '_catalog?n=1000'
    while page:
        answer = plain.request('GET', page)
        names.extend(answer.json()['repositories'])
        link = answer.links.get('next', {}).get('url', '')
        page = link.rpartition('/v2/')[2]
    return names


@operation
def api_version_check(world):
    want = world.plain.request('GET', '').text
    got, response = yield lambda dxf: dxf.api_version_check()
    assert got == response.text == want


@operation
def authenticate(world):
    world.blob((1,))

    def authenticate(dxf):
        given = {'username': world.flavour.username, 'password': world.flavour.password}
        return dxf.authenticate(actions=['pull'], **given), dxf.token, dict(dxf._headers)

    got, token, headers = yield authenticate
    if world.flavour.token_service is None:
        assert got is None
    else:
        assert got == token
    if world.flavour.username:
        answer = world.plain._session.get(
            f'{world.flavour.url}/v2/{world.repo}/blobs/{sha256(world.contents[0])}',
            headers=headers,
        )
        assert answer.content == world.contents[0]


def digest_of_file(path):
    hasher = hashlib.sha256()
    with open(path, 'rb') as file:
        for piece in iter(lambda: file.read(1 << 20), b''):
            hasher.update(piece)
    return hasher.hexdigest()


def misnamed(root):
    """The paths of blobs on a registry's disk that have not the digest that they go by."""
    return [
        path
        for path in root.glob('docker/registry/v2/blobs/sha256/*/*/data')
        if digest_of_file(str(path)) != path.parent.name
    ]
