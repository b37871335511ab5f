"""What can go wrong between a client and a registry, in an order that a seed decides.

schedule = Schedule.of(7)
print(schedule)  # the same on every machine; Schedule.parse reads it again
...  # a FaultProxy plays it
print(schedule.played, schedule.transient)
"""

import random
import re
import threading
from typing import NamedTuple, Optional

# The statuses that say "not now".
PASSING_STATUSES = (429, 500, 502, 503, 504)

# In a mild schedule: what a client that tries five times again must get over.
MILD_FAULTS = 4
WILD_FAULTS = 8

# In an endless schedule, so that it ends all the same.
ENDLESS_FAULTS = 400

# A delay is shorter than any time-out of the tests, in seconds.
DELAYS = (0.01, 0.05, 0.2)

# How a fault is written: words of its own for each field, and name=value.
_WORDS = {
    **dict.fromkeys(('up', 'down'), 'way'),
    **dict.fromkeys(('fin', 'rst', 'early', 'late', 'after', 'short', 'relabelled'), 'how'),
    **dict.fromkeys(('delete', 'answer', 'first', 'second'), 'how'),
    **dict.fromkeys(('json', 'html'), 'body'),
}
_VALUES = {
    'byte': lambda value: {'byte': int(value)},
    'connect': lambda value: {'part': 'connect', 'at': float(value)},
    'head': lambda value: {'part': 'head', 'at': float(value)},
    'body': lambda value: {'part': 'body', 'at': float(value)},
    'Retry-After': lambda value: {'retry_after': value},
    'seconds': lambda value: {'seconds': float(value)},
    'bit': lambda value: {'bit': int(value)},
    'skip': lambda value: {'skip': int(value)},
}

_UPLOAD = re.compile(r'/v2/.+/blobs/uploads/[^/?]+')
_BLOB = re.compile(r'/v2/.+/blobs/[a-z0-9]+:[0-9a-f]+')
_MANIFEST = re.compile(r'/v2/.+/manifests/[^/?]+')


class Fault(NamedTuple):
    """One thing that goes wrong with one request.

    `kind` is one of

    - cut: both connections are closed, with a FIN or a RST (`how`)
    - stall: nothing moves any more, and nothing is closed
    - delay: nothing moves for `seconds`
    - answer: the registry's answer is not seen, but `status`. `how` says when: early (the
      body is not read), late (it is, for nothing) or after (the registry has it, and
      has done what was asked)
    - truncate: a part of the answer's body only; `how`: short (of the Content-Length
      that is announced) or relabelled (as long as it says)
    - flip: one bit of a body is another
    - drop: the registry knows nothing of an upload any more; `how`: delete (it was told to
      forget it) or answer (the proxy says so)
    - repeat: the registry gets the request twice; `how`: which answer is seen, the first
      or the second

    `way` is up (to the registry) or down, `part` of the message connect, head or body, and
    `at` the fraction of that part that goes through before; or `byte` how much of the message.
    """

    kind: str
    way: str = ''
    part: str = ''
    at: float = 0
    byte: Optional[int] = None
    how: str = ''
    status: int = 0
    retry_after: str = ''  # seconds, or "date+" and seconds
    body: str = ''  # of an answer: json, html or nothing
    seconds: float = 0
    bit: int = 0
    skip: int = 0  # how many requests pass unharmed before it

    def __str__(self):
        words = [self.kind]
        if self.status:
            words.append(str(self.status))
        words.extend(filter(None, (self.way, self.how, self.body)))
        if self.byte is not None:
            words.append(f'byte={self.byte}')
        elif self.part:
            words.append(f'{self.part}={self.at:g}')
        if self.retry_after:
            words.append(f'Retry-After={self.retry_after}')
        if self.seconds:
            words.append(f'seconds={self.seconds:g}')
        if self.kind == 'flip':
            words.append(f'bit={self.bit}')
        if self.skip:
            words.append(f'skip={self.skip}')
        return ' '.join(words)

    @classmethod
    def parse(cls, text):
        """What was printed."""
        kind, *words = text.split()
        given = {}
        for word in words:
            name, _, value = word.partition('=')
            if value:
                given.update(_VALUES[name](value))
            elif word.isdigit():
                given['status'] = int(word)
            else:
                given[_WORDS[word]] = word
        return cls(kind, **given)

    @property
    def name(self):
        """What it is counted as."""
        return f'{self.kind} {self.status}' if self.status else self.kind

    @property
    def transient(self):
        """Whether the same request, sent again, does what was wanted.

        What the registry said to a repeated request is the exception: the second DELETE
        finds nothing, and nothing tells that the first one did.
        """
        if self.kind == 'answer':
            return self.status in PASSING_STATUSES
        if self.kind == 'truncate':
            return self.how == 'short'
        return self.kind in ('cut', 'stall', 'delay', 'drop', 'repeat')

    def suits(self, method, path, length):
        """Whether it can befall a request; `length` of its body, None if that is not said.

        No bit is flipped where nothing could tell: in lists, and in what has no digest.
        """
        if self.part == 'connect':
            return False
        if self.kind == 'drop':
            return bool(_UPLOAD.fullmatch(path)) and method in ('GET', 'PATCH', 'PUT')
        if self.kind == 'flip' and self.way == 'up':
            return bool(length) and method in ('PATCH', 'PUT')
        if self.kind == 'flip':
            return method == 'GET' and bool(_BLOB.fullmatch(path) or _MANIFEST.fullmatch(path))
        if self.kind == 'truncate':
            return method == 'GET' and path != '/v2/' and not _UPLOAD.fullmatch(path)
        if self.status == 413:
            return length != 0
        if self.part == 'body':
            return length != 0 if self.way == 'up' else method == 'GET'
        return True


def _fault(rng, kinds):
    """A fault of one of the kinds, drawn so that the edges come often."""
    kind = rng.choice(kinds)
    skip = rng.choice((0, 0, 0, 0, 0, 0, 0, 1, 1, 2))
    at = rng.choice((0.0, round(rng.random(), 4), round(rng.random(), 4), 1.0))
    way = rng.choice(('up', 'down'))
    part = rng.choice(('head', 'body', 'body'))
    if kind in ('cut', 'stall') and rng.random() < 0.1:
        way, part, at = 'up', 'connect', 0.0
    if kind == 'cut':
        return Fault(kind, way, part, at, how=rng.choice(('fin', 'rst')), skip=skip)
    if kind == 'stall':
        return Fault(kind, way, part, at, skip=skip)
    if kind == 'delay':
        return Fault(kind, way, part, at, seconds=rng.choice(DELAYS), skip=skip)
    if kind.startswith('answer'):
        status = int(kind.split()[1])
        how = ('early', 'late', 'after') if status in (500, 502, 504) else ('early', 'late')
        after = (
            ('', '', '0', '1', 'date+0', 'date+1') if status in (429, 503) else ('', '', '', '1')
        )
        return Fault(
            'answer',
            how=rng.choice(how),
            status=status,
            retry_after=rng.choice(after),
            body=rng.choice(('json', 'html', '')),
            skip=skip,
        )
    if kind.startswith('truncate'):
        return Fault('truncate', 'down', 'body', min(at, 0.9999), how=kind.split()[1], skip=skip)
    if kind == 'flip':
        return Fault(kind, way, 'body', min(at, 0.9999), bit=rng.randrange(8), skip=skip)
    if kind == 'drop':
        return Fault(kind, how=rng.choice(('delete', 'answer')), skip=skip)
    return Fault('repeat', how=rng.choice(('first', 'second')), skip=skip)


_PASSING = (
    'cut', 'cut', 'cut', 'cut', 'cut', 'cut', 'stall', 'delay', 'drop', 'drop', 'repeat',
    'truncate short', 'truncate short', *(f'answer {status}' for status in PASSING_STATUSES),
)  # fmt: skip
_WRONG = ('flip', 'flip', 'flip', 'truncate relabelled')
_LASTING = ('answer 401', 'answer 413', 'answer 416', *_WRONG)


class Schedule:
    """Faults in the order in which they befall the requests that they suit."""

    def __init__(self, faults, seed=None, manner='given'):
        self.seed = seed
        self.manner = manner
        self.faults = tuple(faults)
        self._waiting = list(self.faults)
        self._skipped = 0
        self._lock = threading.Lock()
        #: What befell which request: (Fault, "PUT blobs/uploads/...").
        self.played = []
        #: Whether each of these passes when the request is sent again.
        self.transient = True

    @classmethod
    def mild(cls, seed):
        """A few faults that pass."""
        rng = random.Random(seed)
        count = rng.randint(1, MILD_FAULTS)
        return cls([_fault(rng, _PASSING) for _ in range(count)], seed, 'mild')

    @classmethod
    def wild(cls, seed):
        """Any faults."""
        rng = random.Random(seed)
        count = rng.randint(1, WILD_FAULTS)
        return cls([_fault(rng, _PASSING + _LASTING * 2) for _ in range(count)], seed, 'wild')

    @classmethod
    def wrong(cls, seed):
        """Faults that make content wrong, with whatever request can suffer them."""
        rng = random.Random(seed)
        return cls([_fault(rng, _WRONG)._replace(skip=0) for _ in range(2)], seed, 'wrong')

    @classmethod
    def endless(cls, seed):
        """One fault, and again with each request that it suits."""
        rng = random.Random(seed)
        fault = _fault(rng, _PASSING + _LASTING)._replace(skip=rng.choice((0, 0, 1, 2)))
        return cls([fault] + [fault._replace(skip=0)] * (ENDLESS_FAULTS - 1), seed, 'endless')

    @classmethod
    def of(cls, seed):
        """One of the above: half of them are mild."""
        manner = random.Random(f'manner {seed}').choice(
            (cls.mild, cls.mild, cls.mild, cls.mild, cls.wild, cls.wild, cls.wrong, cls.endless)
        )
        return manner(seed)

    @classmethod
    def parse(cls, text):
        """The schedule that was printed."""
        title, _, faults = text.rpartition(': ')
        manner, _, seed = title.partition(' ')
        made = [Fault.parse(fault) for fault in faults.split('; ')]
        if manner == 'endless':
            made.extend([made[0]._replace(skip=0)] * (ENDLESS_FAULTS - 1))
        return cls(made, int(seed) if seed else None, manner or 'given')

    def __str__(self):
        faults = self.faults[:1] if self.manner == 'endless' else self.faults
        title = self.manner if self.seed is None else f'{self.manner} {self.seed}'
        return f'{title}: ' + '; '.join(map(str, faults))

    def for_connection(self):
        """The fault that befalls a new connection, if one does."""
        with self._lock:
            if self._waiting and self._waiting[0].part == 'connect':
                return self._take(self._waiting[0])
            return None

    def for_request(self, method, path, length):
        """The fault that befalls a request, if one does."""
        with self._lock:
            fault = next((f for f in self._waiting if f.suits(method, path, length)), None)
            if fault is None:
                return None
            if self._skipped < fault.skip:
                self._skipped += 1
                return None
            return self._take(fault)

    def _take(self, fault):
        self._skipped = 0
        self._waiting.remove(fault)
        return fault

    def put_back(self, fault):
        """It could not befall the request after all."""
        with self._lock:
            self._waiting.insert(0, fault._replace(skip=0))

    def play(self, fault, request, transient=None):
        """Note that it befell a request."""
        with self._lock:
            self.played.append((fault, request))
            if not (fault.transient if transient is None else transient):
                self.transient = False
