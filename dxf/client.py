"""The public API: :class:`DXFBase` for a registry, :class:`DXF` for a repository in it."""

from __future__ import annotations

from .base import DXFBase
from .copies import Copies

__all__ = ['DXF', 'DXFBase']


class DXF(Copies):
    """A repository in a registry.

    :param host: the registry's host, with port if any, as in ``localhost:5000``
    :param repo: the repository's name; on Docker Hub, one part means ``library/`` and that

    The others are those of :class:`DXFBase`, by position or by name.
    """
