"""What can be typed: the commands, their arguments and options, and what each is for."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple


class Argument(NamedTuple):
    """What a command takes, beside the repository."""

    name: str
    help: str
    least: int = 1
    most: Optional[int] = 1  # None: any number

    @property
    def is_alias(self) -> bool:
        """Whether it is a name after an @, and nothing else."""
        return self.name.startswith('@') and '|' not in self.name


class Option(NamedTuple):
    """What a command may be told beside its arguments."""

    flags: Tuple[str, ...]
    name: str
    metavar: str  # '': it is there or is not, and has no value
    help: str
    is_required: bool = False
    is_repeated: bool = False  # a list of what was given
    choices: Tuple[str, ...] = ()  # none: anything


class Command(NamedTuple):
    """A command."""

    name: str
    summary: str
    arguments: Tuple[Argument, ...] = ()
    details: str = ''
    has_repository: bool = True
    options: Tuple[Option, ...] = ()


_DIGEST = Argument('DIGEST', "a blob's digest: sha256: and 64 hexadecimal characters")
_OPTIONAL_ALIAS = Argument('@ALIAS', 'a name to give to the blob: a tag, after an @', 0)
_NEW_ALIAS = Argument('@ALIAS', 'a name to give to the artifact: a tag, after an @')
_FILES = Argument(
    'FILE[:MEDIA-TYPE]',
    'a file or a folder, by a relative path; what it is may stand after a colon',
    0,
    None,
)
_MANIFEST = Argument('@ALIAS|DIGEST', "an alias's name after an @, or a manifest's digest")
_ANNOTATIONS = Option(
    ('--annotation',),
    'annotations',
    'KEY=VALUE',
    'something to be known of the artifact; may be given again',
    is_repeated=True,
)
_QUIET = Option(('-q', '--quiet'), 'quiet', '', 'show no progress')
_FORMAT = Option(
    ('--format',),
    'format',
    'text|json',
    'print lines of text (the default) or one JSON document',
    choices=('text', 'json'),
)
_STDIN = 'Without arguments, a manifest is read from standard input.'
_BLOBS = Argument('DIGEST|@ALIAS', "a blob's digest, or an alias's name after an @", 0, None)
_ALIASES = Argument('ALIAS', "an alias: a tag, or a manifest's digest", 0, None)

COMMANDS = (
    Command(
        'push-blob',
        'store a file as a blob and print its digest',
        (Argument('FILE', 'the file, or - for standard input'), _OPTIONAL_ALIAS),
        'A blob that the repository has already is not sent again, unless it comes from '
        'standard input.',
        options=(_QUIET,),
    ),
    Command(
        'pull-blob',
        'write blobs to standard output',
        (_BLOBS,),
        _STDIN,
        options=(
            Option(
                ('-o', '--output'),
                'output_file',
                'FILE',
                'write to a file instead, which appears when all of it is there and is right; '
                'run again after an interruption, it goes on where it was; - for standard output',
            ),
            _QUIET,
        ),
    ),
    Command(
        'blob-size',
        'print the sizes of blobs, in bytes',
        (_BLOBS,),
        'For an alias it is the sum over its blobs, as the manifest says. ' + _STDIN,
        options=(_FORMAT,),
    ),
    Command(
        'mount-blob',
        'have a blob of another repository in this one, without sending it',
        (Argument('FROM-REPO', 'the repository that has it'), _DIGEST, _OPTIONAL_ALIAS),
    ),
    Command(
        'del-blob',
        'delete blobs',
        (_BLOBS,),
        'The blobs of an alias go, but not the alias: see del-alias. A multi-arch alias '
        'goes too, with the manifests it lists and their blobs. ' + _STDIN,
    ),
    Command(
        'set-alias',
        'give blobs a name and print the manifest',
        (
            Argument('ALIAS', 'the name: a tag'),
            Argument(
                'DIGEST|FILE',
                "a blob's digest; or a file, with a / in its path, whose "
                'digest is used (it is not sent)',
                1,
                None,
            ),
        ),
    ),
    Command(
        'get-alias',
        'print the digests of the blobs that aliases stand for',
        (_ALIASES,),
        _STDIN,
        options=(_FORMAT,),
    ),
    Command(
        'del-alias',
        'delete aliases and print the digests of the blobs they stood for',
        (_ALIASES,),
        'The manifest is deleted, and so every alias of it; the blobs are not.',
        options=(_FORMAT,),
    ),
    Command(
        'get-digest',
        "print the digests of aliases' config blobs",
        (_ALIASES,),
        _STDIN,
        options=(_FORMAT,),
    ),
    Command('get-manifest', 'print the manifests of aliases', (_ALIASES,), options=(_FORMAT,)),
    Command(
        'list-platforms',
        'print the platforms of aliases',
        (_ALIASES,),
        'An alias that is not multi-arch has none.',
        options=(_FORMAT,),
    ),
    Command(
        'list-manifests',
        'print the digest, size, type and platform of each manifest that an alias lists',
        (Argument('ALIAS', "an alias: a tag, or a manifest's digest"),),
        "What attests to others has attestation in the platform's place. An alias that is not "
        'multi-arch lists none.',
        options=(_FORMAT,),
    ),
    Command('list-aliases', "print the repository's aliases", options=(_FORMAT,)),
    Command(
        'resolve',
        'print the digests of the manifests that aliases stand for',
        (Argument('@ALIAS', "an alias's name after an @", 1, None),),
        options=(_FORMAT,),
    ),
    Command(
        'tag',
        'give what an alias stands for further names, and print its digest',
        (_MANIFEST, Argument('@NEW', 'a new name: a tag, after an @', 1, None)),
        'A multi-arch alias stays one. A new name that stands for something else is moved.',
    ),
    Command(
        'copy',
        'copy what an alias stands for to another repository, and print its digest',
        (
            _MANIFEST,
            Argument('TO-REPO', 'the repository to copy to'),
            Argument('@ALIAS', 'its name there: a tag, after an @; by default the same', 0),
        ),
        'In the same registry nothing is sent. Another one has variables of its own: '
        'DXF_TO_USERNAME is to it what DXF_USERNAME is to DXF_HOST.',
        options=(
            Option(
                ('--to',),
                'host',
                'HOST',
                'another registry, with port if any, or oci: and a folder (default: '
                'DXF_TO_HOST, or the same registry)',
            ),
            Option(
                ('--referrers',),
                'referrers',
                '',
                'copy what refers to it too, as signatures do',
            ),
            _QUIET,
        ),
    ),
    Command(
        'untag',
        'delete aliases and nothing else',
        (Argument('@ALIAS', "an alias's name after an @", 1, None),),
        'What they stood for stays, and so do its other aliases: see del-alias.',
    ),
    Command(
        'push',
        'store files and folders under their own names, as an artifact, and print its digest',
        (_NEW_ALIAS, _FILES),
        'A file with a colon in its name needs another one at its end.',
        options=(
            Option(('--type',), 'artifact_type', 'TYPE', 'what they are: a media type'),
            _ANNOTATIONS,
            _QUIET,
        ),
    ),
    Command(
        'pull',
        "write an artifact's files under their own names and print these",
        (_MANIFEST,),
        options=(
            Option(('-o', '--output'), 'folder', 'DIR', 'the folder to write them to'),
            _FORMAT,
            _QUIET,
        ),
    ),
    Command(
        'attach',
        'store files as an artifact that refers to a manifest, and print its digest',
        (_MANIFEST, _FILES),
        options=(
            Option(('--type',), 'artifact_type', 'TYPE', 'what they are: a media type', True),
            _ANNOTATIONS,
            _QUIET,
        ),
    ),
    Command(
        'list-referrers',
        'print the digests and types of the artifacts that refer to a manifest',
        (_MANIFEST,),
        options=(
            Option(('--type',), 'artifact_type', 'TYPE', 'list those of one type only'),
            _FORMAT,
        ),
    ),
    Command(
        'list-repos',
        "print the registry's repositories",
        has_repository=False,
        options=(_FORMAT,),
    ),
    Command(
        'auth',
        'authenticate, and print the token if there is one',
        (Argument('ACTION', 'pull, push or *; by default what the registry asks for', 0, None),),
        'The token can be given to later commands as DXF_TOKEN.',
    ),
)

DESCRIPTION = 'Keep arbitrary data in a container registry.'

EPILOG = """\
environment variables:
  DXF_HOST             the registry's host, with port if any; or oci: and a folder,
                       which needs no registry (required)
  DXF_INSECURE         1: speak plain http
  DXF_INSECURE_AUTH    1: authenticate over http too, on the loopback address
  DXF_USERNAME         user name, and
  DXF_PASSWORD         password
  DXF_PASSWORD_FILE    a file with the password, instead
  DXF_AUTHORIZATION    the Authorization header's value, instead
  DXF_TOKEN            a token, instead
  DXF_AUTH_HOST        take tokens from this host, whatever the registry says
                       (with none of these, what docker or podman login left is used)
  DXF_TO_HOST          another registry, for copy; what else there is to say of it stands
                       in variables of its own, as in DXF_TO_USERNAME
  DXF_TLSVERIFY        a CA bundle's path
  DXF_SKIPTLSVERIFY    1: don't verify certificates
  DXF_TLSCERT          a file with a client certificate to show, and
  DXF_TLSKEY           one with its key, where that is not in the former
  DXF_PLATFORM         the platform to read of multi-arch aliases, as in linux/arm64
  DXF_PROGRESS         1: show progress bars; 0: don't (default: on a terminal)
  DXF_BLOB_INFO        1: pull-blob writes "<digest> <size>" and a newline before a blob
  DXF_CHUNK_SIZE       how many bytes pull-blob handles at a time (default: 8192)
  DXF_TIMEOUT          how long to wait between two pieces of an answer, in seconds
                       (default: 30)
  DXF_RETRIES          how often what failed for the moment is tried again (default: 5)
  DXF_RETRY_SECONDS    for how long, in seconds (default: 120)
  DXF_UPLOAD_CHUNK_SIZE
                       the most to send in one request, in bytes (default: any number)
  DXF_DEBUG            1: show requests and tracebacks

examples:
  export DXF_HOST=localhost:5000 DXF_INSECURE=1
  dxf push-blob project/files report.pdf @latest
  dxf pull-blob project/files @latest > report.pdf

Each command has help of its own: dxf push-blob --help
"""
