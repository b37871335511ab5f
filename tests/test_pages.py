"""What the README and the documentation show is what happens."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .support import pages, secrets
from .support.commandline import COMMAND_SECONDS, environment
from .support.flavours import PASSWORD, USERNAME
from .support.registry import Registry, token_auth
from .support.tokens import TokenService

ROOT = Path(__file__).resolve().parents[1]

PAGES = [
    path
    for path in [ROOT / 'README.rst', *sorted((ROOT / 'docs').glob('*.rst'))]
    if any(pages.blocks(path.read_text(encoding='utf-8'), name) for name in ('console', 'python'))
]

# Another Python to run them with, where dxf is installed: for a wheel's trial.
PYTHON = os.environ.get('PAGES_PYTHON')

WRITTEN_PASSWORD = 'fred-s-password'


@pytest.fixture
def services(registry_program, certificates, tmp_path_factory):
    """The registries that the pages talk of, with nothing in them."""
    folder = tmp_path_factory.mktemp('services')
    with TokenService(certificates, USERNAME, PASSWORD) as tokens:
        auth = token_auth(tokens)
        with Registry(registry_program, folder / 'http') as http:
            with Registry(
                registry_program, folder / 'tls', certificates=certificates, auth=auth
            ) as tls:
                yield http, tls, tokens


@pytest.fixture
def place(services, certificates):
    """Puts what there is here in the place of what the pages call it."""
    http, tls, tokens = services

    def authorization(password):
        return base64.b64encode(f'{USERNAME}:{password}'.encode()).decode()

    def replace(text):
        for name, value in {
            # It has spaces in it, which a page need not quote.
            f'DXF_PASSWORD={WRITTEN_PASSWORD}': 'DXF_PASSWORD="$SECRET"',
            authorization(WRITTEN_PASSWORD): authorization(PASSWORD),
            WRITTEN_PASSWORD: PASSWORD,
            'localhost:5000': http.host,
            'registry.example': tls.host,
            'tokens.example': tokens.host,
            '/path/to/ca.pem': certificates.ca,
        }.items():
            text = text.replace(name, value)
        return text

    return replace


@pytest.fixture
def environ(tmp_path, certificates):
    """`dxf` and `python` are this Python's, wherever dxf is installed."""
    programs = tmp_path / 'bin'
    programs.mkdir()
    (tmp_path / 'home').mkdir()
    python = PYTHON or sys.executable
    trusting = f'REQUESTS_CA_BUNDLE="{certificates.ca}"'
    for name, command in {
        'dxf': f'exec "{python}" -m dxf "$@"',
        # What a page's console says of certificates is not for its programs.
        'python': f'{trusting} exec "{python}" "$@"',
        # dxf is installed.
        'pip': 'test "$1" = install',
    }.items():
        (programs / name).write_text(f'#!/bin/sh\n{command}\n')
        (programs / name).chmod(0o755)
    made = environment({'HOME': str(tmp_path / 'home'), 'SECRET': PASSWORD, 'LC_ALL': 'C.UTF-8'})
    if PYTHON is None:
        made['PYTHONPATH'] = str(ROOT)
    made['PATH'] = f'{programs}{os.pathsep}{made["PATH"]}'
    return made


@pytest.fixture
def prepare(environ, place, tmp_path):
    """What a page takes for granted, by its name."""

    def credentials(text):
        (tmp_path / 'hello.txt').write_text('Hello.\n')
        docker = tmp_path / 'home' / '.docker'
        docker.mkdir()
        written = re.search(r'cat ~/.docker/config.json\n +(.*\n)', text).group(1)
        (docker / 'config.json').write_text(place(written))
        (helper,) = pages.blocks(text, 'sh')
        program = tmp_path / 'bin' / 'docker-credential-vault'
        program.write_text(place(helper))
        program.chmod(0o755)

    return {'credentials': credentials}


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.stem)
def test_examples(path, place, environ, prepare, tmp_path):
    text = path.read_text(encoding='utf-8')
    prepare.get(path.stem, lambda text: None)(text)
    found = [
        pages.Example(place(example.typed), place(example.printed))
        for example in pages.examples(text)
    ]
    done = subprocess.run(
        ['sh'],
        input=pages.script(found).encode(),
        capture_output=True,
        timeout=COMMAND_SECONDS,
        cwd=str(tmp_path),
        env=environ,
    )
    # Those that show what goes wrong say where it is to go.
    assert done.stderr.decode() == ''
    pages.compare(found, done.stdout.decode())
    for written in tmp_path.glob('*log*'):
        assert not secrets.found(written.read_text())


def test_every_page_is_in_the_contents():
    """And each only once."""
    listed = re.findall(
        r'^   ([\w-]+)$', (ROOT / 'docs' / 'index.rst').read_text(encoding='utf-8'), re.MULTILINE
    )
    there = [path.stem for path in (ROOT / 'docs').glob('*.rst') if path.stem != 'index']
    assert sorted(listed) == sorted(there)


def test_there_are_examples():
    assert {'README', 'credentials'} <= {path.stem for path in PAGES}


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('   $ one\n', [('one\n', '')]),
        ('   $ one\n   1\n   2\n\n   $ two\n', [('one\n', '1\n2\n\n'), ('two\n', '')]),
        ('   $ one |\n   > two\n   2\n', [('one |\ntwo\n', '2\n')]),
    ],
)
def test_how_pages_are_read(text, expected):
    page = f'Words.\n\n.. code-block:: console\n\n{text}\nMore.\n'
    assert list(pages.examples(page)) == expected


def test_what_differs_is_found():
    found = [pages.Example('one\n', 'It is ....\n')]
    end = pages.script(found).split("'")[1] + '\n'
    pages.compare(found, f'It is so.\n{end}')
    for output in ('It was so.\n' + end, 'It is so.\n', f'It is so.\n{end}!', 'It is so' + end):
        with pytest.raises(AssertionError):
            pages.compare(found, output)


# What the recipes find in a CI system; everything else is in them.
GIVEN = {
    'github.actor': USERNAME,
    'github.repository': 'project',
    'github.sha': '1a2b3c',
    'secrets.GITHUB_TOKEN': PASSWORD,
    'CI_REGISTRY_USER': USERNAME,
    'CI_REGISTRY_PASSWORD': PASSWORD,
    'CI_COMMIT_SHA': '1a2b3c',
}


def given(text):
    """A recipe's text, with what the CI system puts there."""
    return re.sub(r'\$\{\{ ([\w.]+) \}\}', lambda found: GIVEN[found[1]], text)


def recipes():
    """Each recipe: its variables, and the commands of its jobs, in order."""
    yaml = pytest.importorskip('yaml')
    text = (ROOT / 'docs' / 'ci.rst').read_text(encoding='utf-8')
    for block in pages.blocks(text, 'yaml'):
        recipe = yaml.safe_load(block)
        jobs = recipe.get('jobs') or {n: job for n, job in recipe.items() if 'script' in job}
        scripts = [
            job.get('script') or [step['run'] for step in job['steps'] if 'run' in step]
            for job in jobs.values()
        ]
        yield recipe.get('env') or recipe['variables'], scripts


@pytest.mark.parametrize('number', [0, 1], ids=['github', 'gitlab'])
def test_recipes_for_ci(number, services, environ, tmp_path, certificates):
    _, tls, _ = services
    variables, jobs = list(recipes())[number]
    made = {
        **environ,
        **GIVEN,
        'CI_REGISTRY': tls.host,
        'CI_REGISTRY_IMAGE': tls.host + '/group/project',
        'DXF_TLSVERIFY': certificates.ca,
    }
    (tmp_path / 'bin' / 'make').write_text('#!/bin/sh\nmkdir dist && echo built > dist/app\n')
    (tmp_path / 'bin' / 'make').chmod(0o755)
    for name, value in variables.items():
        made[name] = tls.host if value == 'ghcr.io' else given(value)
        if value.startswith('$CI_'):
            made[name] = made[value[1:]]
    assert len(jobs) == 2
    for number, commands in enumerate(jobs):
        # Each job begins with nothing of the one before.
        folder = tmp_path / str(number)
        folder.mkdir()
        done = subprocess.run(
            ['bash', '-e', '-o', 'pipefail'],
            input=given('\n'.join(commands)).encode(),
            capture_output=True,
            timeout=COMMAND_SECONDS,
            cwd=str(folder),
            env=made,
        )
        assert (done.returncode, done.stderr) == (0, b''), commands
        assert (folder / 'dist' / 'app').read_text() == 'built\n'
