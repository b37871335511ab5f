"""How the documentation is built."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dxf._version import __version__

project = 'dxf'
author = 'the dxf authors'
copyright = '2026, the dxf authors'
version = release = __version__

extensions = ['sphinx.ext.autodoc', 'sphinxarg.ext']
exclude_patterns = ['_build']

html_theme = 'alabaster'
html_theme_options = {'description': 'Keep arbitrary data in a container registry'}

autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
