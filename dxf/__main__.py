# PYTHON_ARGCOMPLETE_OK
"""The program ``dxf``, which is ``python -m dxf`` too."""

import os
import sys

try:
    from typing import NoReturn

    from .main import main
except KeyboardInterrupt:
    # It takes a while to load them; `main` heeds it from then on.
    os._exit(130)


def run() -> NoReturn:
    """What ``main`` does, and then end without tidying up first.

    Python would take a sixth of a short command's time for that, and nothing is left to do:
    files are closed, and whatever a thread still waits for is of no use to anybody.
    """
    try:
        main()
    except SystemExit as exit:
        try:
            if sys.stderr is not None:
                sys.stderr.flush()
        except OSError:
            pass  # it is full, or nobody reads it: there is nowhere to say so
        os._exit(int(exit.code or 0))


if __name__ == '__main__':
    run()
