"""The one place where the version stands."""

__version__ = '13.0.0'
