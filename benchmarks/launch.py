"""Run one command and write down what it took: `launch.py SPEC`, a JSON file.

This is a process of its own, and a small one, because Linux lets a child's peak
memory begin at what its parent held when it started it: the harness, with its
results, would show in every figure.
"""

import json
import os
import signal
import sys
import time

# What Python ignores and other programs expect to be ended by.
USUALLY_FATAL = (signal.SIGPIPE, signal.SIGXFSZ)


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        spec = json.load(file)
    child = []
    timed_out = []

    def stop(number, frame):
        if number == signal.SIGALRM:
            timed_out.append(True)
        for pid in child:
            os.killpg(pid, signal.SIGKILL)

    for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, spec['stdin'], os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, spec['stderr'], writing, 0o600),
    ]
    if spec['stdout'] is not None:
        actions.append((os.POSIX_SPAWN_OPEN, 1, spec['stdout'], writing, 0o600))
    os.chdir(spec['cwd'])
    signal.alarm(spec['seconds'])
    began = time.perf_counter()
    child.append(
        os.posix_spawn(
            spec['argv'][0],
            spec['argv'],
            spec['env'],
            file_actions=actions,
            setpgroup=0,
            setsigdef=USUALLY_FATAL,
        )
    )
    _, status, usage = os.wait4(child[0], 0)
    seconds = time.perf_counter() - began
    child.clear()
    with open(spec['report'], 'w', encoding='utf-8') as file:
        json.dump(
            {
                'code': os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status),
                'timed_out': bool(timed_out),
                'seconds': seconds,
                'cpu_seconds': usage.ru_utime + usage.ru_stime,
                'peak_bytes': usage.ru_maxrss * 1024,
            },
            file,
        )


if __name__ == '__main__':
    main()
