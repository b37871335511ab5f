"""Numbers as people write them."""

MIB = 1024 * 1024
GIB = 1024 * MIB

_UNITS = ((GIB, 'GiB'), (MIB, 'MiB'), (1024, 'KiB'))


def size(count):
    for unit, name in _UNITS:
        if count >= unit:
            return f'{count / unit:.4g} {name}'
    return f'{count} bytes'


def parse_size(text):
    """Bytes from `4096`, `4K`, `64M` or `1G`."""
    factor = {'K': 1024, 'M': MIB, 'G': GIB}.get(text[-1:].upper())
    return int(text[:-1]) * factor if factor else int(text)


def seconds(value):
    if value < 0.1:
        return f'{value:.4f}'
    return f'{value:.3f}' if value < 10 else f'{value:.1f}'


def mib(count):
    return f'{count / MIB:.0f}'
