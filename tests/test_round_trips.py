"""What each operation asks of a registry, as the table in the docs says."""

import csv
import hashlib
import json
import os
from collections import Counter
from pathlib import Path

import pytest

import dxf
from dxf.main import doit
from tests.support.plain import PlainClient
from tests.support.requestcount import counted

TABLE = Path(__file__).parent.parent / 'docs' / 'round-trips.csv'

INDEX_TYPE = 'application/vnd.oci.image.index.v1+json'


def rows():
    with TABLE.open(encoding='utf-8') as file:
        return list(csv.DictReader(file))


class Place:
    """A repository with something in it, and operations on it by their names in the table."""

    def __init__(self, registry, folder):
        self.registry = registry
        self.folder = folder
        self.repo = registry.new_repo()
        setting_up = dxf.DXF(registry.host, self.repo, **registry.settings())
        self.contents = [os.urandom(100) for _ in range(4)]
        self.digests = [setting_up.push_blob(data=content) for content in self.contents]
        self.manifest = setting_up.set_alias('one', self.digests[0])
        setting_up.set_manifest('two', self._index())
        setting_up.push('artifact', {'a': self.new_file(), 'b': self.new_file()})
        self.client = dxf.DXF(registry.host, self.repo, **registry.settings())
        other = dxf.DXF(registry.host, self.repo + '/other', **registry.settings())
        self.elsewhere = other.push_blob(data=os.urandom(100))

    def _index(self):
        plain = PlainClient(self.registry, self.repo)
        entries = []
        for number, content in enumerate(self.contents[:2]):
            text = self.manifest.replace(self.digests[0], self.digests[number])
            plain.push_manifest(f'arch{number}', text, json.loads(text)['mediaType'])
            entries.append(
                {
                    'mediaType': json.loads(text)['mediaType'],
                    'size': len(text),
                    'digest': 'sha256:' + hashlib.sha256(text.encode()).hexdigest(),
                    'platform': {'os': 'linux', 'architecture': f'arch{number}'},
                }
            )
            assert len(content) == 100
        return json.dumps({'schemaVersion': 2, 'mediaType': INDEX_TYPE, 'manifests': entries})

    def new_file(self):
        path = self.folder / os.urandom(8).hex()
        path.write_bytes(os.urandom(100))
        return str(path)

    def operations(self):
        client, digests = self.client, self.digests
        new = self.new_file
        there = self.folder / 'there'
        there.write_bytes(self.contents[0])
        short, long = [os.urandom(100)], [os.urandom(1024 * 1024)] * 10
        platform = 'linux/arch1'
        return {
            'push_blob: a new file': lambda: client.push_blob(new()),
            'push_blob: a file that is there': lambda: client.push_blob(str(there)),
            'push_blob: a new file without the check': lambda: client.push_blob(
                new(), check_exists=False
            ),
            'push_blob: a short stream': lambda: client.push_blob(data=iter(short)),
            'push_blob: a stream of 10 MiB': lambda: client.push_blob(data=iter(long)),
            'push_blob and set_alias: a new file': lambda: client.set_alias(
                'new', client.push_blob(new())
            ),
            'push_blobs: four new files': lambda: client.push_blobs([new() for _ in range(4)]),
            'pull_blob': lambda: list(client.pull_blob(digests[0])),
            'pull_blob: with its size': lambda: list(client.pull_blob(digests[0], size=True)[0]),
            'pull_blobs: four': lambda: [list(chunks) for _, chunks in client.pull_blobs(digests)],
            'save_blobs: four': lambda: client.save_blobs(str(self.folder / 'saved'), digests),
            'blob_size': lambda: client.blob_size(digests[0]),
            'mount_blob': lambda: client.mount_blob(self.repo + '/other', self.elsewhere),
            'mount_blob: refused': self.refused_mount,
            'del_blob': lambda: client.del_blob(digests[3]),
            'make_manifest: one blob': lambda: client.make_manifest(digests[0]),
            'set_alias: one blob': lambda: client.set_alias('again', digests[0]),
            'set_manifest': lambda: client.set_manifest('again', self.manifest),
            'get_manifest': lambda: client.get_manifest('one'),
            'get_manifest: one of two platforms': lambda: client.get_manifest('two', platform),
            'get_manifest: two platforms': lambda: client.get_manifest('two'),
            'get_alias': lambda: client.get_alias('one'),
            'get_alias: with sizes': lambda: client.get_alias('one', sizes=True),
            'get_alias: one of two platforms': lambda: client.get_alias('two', platform=platform),
            'get_alias: of a manifest at hand': lambda: client.get_alias(manifest=self.manifest),
            'get_digest': lambda: client.get_digest('one'),
            'get_manifest_and_response': lambda: client.get_manifest_and_response('one'),
            'head_manifest_and_response': lambda: client.head_manifest_and_response('one'),
            'del_alias': lambda: client.del_alias('one'),
            'list_platforms: two': lambda: client.list_platforms('two'),
            'list_manifests': lambda: client.list_manifests('two'),
            'list_aliases': client.list_aliases,
            'resolve': lambda: client.resolve('one'),
            'tag: one new alias': lambda: client.tag('one', 'new'),
            'tag: two new aliases of two platforms': lambda: client.tag('two', 'new', 'newer'),
            'untag: where only digests are deleted': lambda: client.untag('one'),
            'push: one new file': lambda: client.push('new', {'name': new()}),
            'push: four new files': lambda: client.push('new', {str(n): new() for n in range(4)}),
            'pull: two files': lambda: client.pull('artifact', str(self.folder / 'pulled')),
            'attach: one new file': lambda: client.attach('one', {'name': new()}, 'text/x-test'),
            'list_referrers: where a tag lists them': lambda: client.list_referrers('one'),
            'copy: within a registry': lambda: client.copy('one', self.other()),
            'copy: to another registry': lambda: client.copy('one', self.other('127.0.0.1')),
            'copy: to another registry that has it': lambda: client.copy(
                'one', self.other('127.0.0.1', self.repo)
            ),
            'list_repos': lambda: client.list_repos(batch_size=1000),
            'api_version_check': client.api_version_check,
            'authenticate: where nothing is needed': client.authenticate,
            'dxf push-blob FILE @ALIAS: a new file': lambda: self.shell(
                'push-blob', self.repo, new(), '@new'
            ),
            'dxf pull-blob @ALIAS': lambda: self.shell('pull-blob', self.repo, '@one'),
        }

    def other(self, name=None, repo=None):
        """Another repository; by another name the registry looks like another one."""
        if name is None:
            return dxf.DXF.from_base(self.client, self.repo + '/new')
        host = f'{name}:{self.registry.host.partition(":")[2]}'
        return dxf.DXF(host, repo or self.repo + '/new', **self.registry.settings())

    def refused_mount(self):
        with pytest.raises(dxf.exceptions.DXFMountFailed):
            self.client.mount_blob('nowhere', 'sha256:' + '0' * 64)

    def shell(self, *args):
        assert doit(args, self.registry.environ()) == 0


def expanded(requests):
    """ "4 GET" is four of them."""
    count, found = 1, Counter()
    for word in requests.split():
        if word.isdigit():
            count = int(word)
        else:
            found[word] += count
            count = 1
    return found


@pytest.mark.parametrize('row', rows(), ids=lambda row: row['operation'])
def test_round_trips(registry_http, tmp_path, monkeypatch, capsysbinary, row):
    place = Place(registry_http, tmp_path)
    with counted(monkeypatch) as count:
        place.operations()[row['operation']]()
    wanted = row['requests'].split()
    if any(word.isdigit() for word in wanted):
        # Side by side they come in any order.
        assert Counter(count.requests) == expanded(row['requests']), str(count)
    else:
        assert count.requests == wanted, str(count)
    *at_most, connections = row['connections'].split()
    if at_most:
        assert count.connections <= int(connections), str(count)
    else:
        assert count.connections == int(connections), str(count)


def test_every_operation_is_in_the_table(registry_http, tmp_path):
    assert [row['operation'] for row in rows()] == list(
        Place(registry_http, tmp_path).operations()
    )
    public = {name for name in dir(dxf.DXF) if not name.startswith('_')}
    in_table = {row['operation'].partition(':')[0].partition(' ')[0] for row in rows()}
    assert public - in_table == {'from_base', 'token'}
