"""Platforms by name: ``os/architecture[/variant]``."""

from __future__ import annotations

from typing import Tuple

# As containerd normalises them: other spellings, and the variant that an
# architecture means where it names none.
_ARCHITECTURES = {
    'x86_64': 'amd64',
    'x86-64': 'amd64',
    'i386': '386',
    'i686': '386',
    'aarch64': 'arm64',
    'armhf': 'arm/v7',
    'armel': 'arm/v6',
}
_IMPLIED_VARIANTS = {
    'amd64/v1': 'amd64',
    'arm64/v8': 'arm64',
    'arm64/8': 'arm64',
    'arm': 'arm/v7',
    'arm/7': 'arm/v7',
    'arm/6': 'arm/v6',
    'arm/5': 'arm/v5',
    'arm/8': 'arm/v8',
}
_SYSTEMS = {'macos': 'darwin'}


def same(wanted: str, name: str) -> bool:
    """Whether a platform that is asked for is the one of that name.

    One asked for without the operating system's version, which stands in
    parentheses as in ``windows(10.0.20348.2700)/amd64``, may be of any version; one
    asked for without the digest that tells twins apart, any of them.
    """
    wanted, _, wanted_digest = wanted.partition('@')
    name, _, digest = name.partition('@')
    wanted_system, wanted_version, wanted_machine = _split(wanted)
    system, version, machine = _split(name)
    return (
        (wanted_system, wanted_machine) == (system, machine)
        and wanted_version in ('', version)
        and wanted_digest in ('', digest)
    )


def _split(platform: str) -> Tuple[str, str, str]:
    """System, its version and machine, spelt so that what is equal is spelt equal."""
    system, _, rest = platform.lower().partition('/')
    system, _, version = system.rstrip(')').partition('(')
    architecture, slash, variant = rest.partition('/')
    machine = _ARCHITECTURES.get(architecture, architecture) + slash + variant
    return _SYSTEMS.get(system, system), version, _IMPLIED_VARIANTS.get(machine, machine)
