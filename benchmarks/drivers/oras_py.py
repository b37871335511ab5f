"""What programs do with the Python package oras: `oras_py.py OPERATION TASK`, a JSON file."""

import json
import os
import sys

import oras.client


def connect(task):
    return oras.client.OrasClient(hostname=task['host'], insecure=not task['tls'])


def image(task):
    return f'{task["host"]}/{task["repo"]}:{task["alias"]}'


def pull_blob(task):
    connect(task).download_blob(f'{task["host"]}/{task["repo"]}', task['digests'][0], task['out'])


def pull(task):
    connect(task).pull(target=image(task), outdir=task['out'])


def push(task):
    os.chdir(task['folder'])
    connect(task).push(
        target=image(task), files=task['names'], disable_path_validation=True, quiet=True
    )


def list_aliases(task):
    print(connect(task).get_tags(f'{task["host"]}/{task["repo"]}'))


if __name__ == '__main__':
    with open(sys.argv[2], encoding='utf-8') as file:
        globals()[sys.argv[1]](json.load(file))
