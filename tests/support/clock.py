"""Time that passes only when somebody waits."""


class Clock:
    """Stands for the `time` module where dxf waits; `slept` lists for how long it did."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds
