"""What programs do with azure-containerregistry: `azure_containerregistry.py OPERATION TASK`."""

import json
import sys

from azure.containerregistry import ContainerRegistryClient


def connect(task):
    return ContainerRegistryClient(f'https://{task["host"]}')


def write(client, task, digest):
    for chunk in client.download_blob(task['repo'], digest):
        sys.stdout.buffer.write(chunk)


def pull_blobs(task):
    with connect(task) as client:
        for digest in task['digests']:
            write(client, task, digest)


def pull_alias(task):
    with connect(task) as client:
        manifest = client.get_manifest(task['repo'], task['alias']).manifest
        for layer in manifest['layers']:
            write(client, task, layer['digest'])


if __name__ == '__main__':
    with open(sys.argv[2], encoding='utf-8') as file:
        globals()[sys.argv[1]](json.load(file))
