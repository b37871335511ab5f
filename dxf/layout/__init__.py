"""A folder of OCI image layouts that answers as a registry, with no server at all.

:class:`LayoutAdapter` is a requests transport adapter, to be mounted on a session at
:data:`BASE_URL`; nothing above it knows. What it does comes from, in this order:
``registry``, the distribution specification's endpoints; ``folder``, which
layout a repository is; ``layout``, what one lists, and ``uploads`` to it;
``subjects``, what refers to what in one; ``storage``, its files; ``manifests`` and
``index``, what is in these.
"""

from __future__ import annotations

from .adapter import BASE_URL, LayoutAdapter

__all__ = ['BASE_URL', 'LayoutAdapter']
