"""What it was measured on."""

import os
import re
from pathlib import Path


def about():
    return {'cpu': _cpu(), 'cores': _cores(), 'memory_bytes': memory('MemTotal')}


def memory(key):
    """A line of /proc/meminfo, in bytes; 0 where there is none."""
    found = re.search(rf'^{key}:\s+(\d+) kB', _read('/proc/meminfo'), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def _cpu():
    found = re.search(r'^model name\s*:\s*(.+)$', _read('/proc/cpuinfo'), re.MULTILINE)
    return found.group(1).strip() if found else os.uname().machine


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()


def _read(path):
    try:
        return Path(path).read_text()
    except OSError:
        return ''
