"""A workload, measured: each competitor in turn, round after round."""

import shutil

from . import content, measuring, tools
from .measuring import Failed
from .sites import ALIAS, site
from .units import MIB
from .workloads import PULL_BLOB, STARTUP, STARTUP_TIMES

# Content up to this size is read back after every run; more only after the first.
READ_BACK = 64 * MIB


def rotated(items, by):
    """So that no one always comes first, or always after the same one."""
    items = list(items)
    by %= len(items) or 1
    return items[by:] + items[:by]


def gather(workload, competitors, missing):
    """(label -> way, label -> why it is left out) for a workload.

    `missing`: competitor's name -> why it is not here.
    """
    ways, left_out = {}, {}
    for competitor in competitors:
        if workload.only and competitor.name not in workload.only:
            continue
        reason = competitor.why_not(workload) or missing.get(competitor.name)
        if reason:
            left_out[competitor.label] = reason
        else:
            ways.update(competitor.ways(workload.kind))
    return ways, left_out


def measure(workload, rounds, competitors, missing, programs, say):
    """(label -> what each round took, label -> why it is left out, what it was stored on).

    `programs`: the paths of docker-registry and openssl. `say`: is told how it goes.
    """
    ways, left_out = gather(workload, competitors, missing)
    with site(workload, *programs) as made:
        runner = _Runner(workload, made, say)
        # Nothing is cold in the first round that counts, and who pulls to nowhere is
        # seen to pull the right thing. What is slow for its distance is not cold.
        if workload.kind == PULL_BLOB or not workload.rtt:
            _one_round(runner, ways, left_out, ways, 'trial')
        series = {label: [] for label in ways}
        if workload.kind == STARTUP:
            rounds *= STARTUP_TIMES
        for number in range(rounds):
            taken = _one_round(
                runner, rotated(ways, number), left_out, ways, f'{number + 1}/{rounds}'
            )
            for label, measured in taken.items():
                series[label].append(measured)
        whole = {label: series[label] for label in ways}
        return whole, left_out, made.storage


def _one_round(runner, labels, left_out, ways, name):
    """Label -> Measured. Who fails is left out from then on."""
    taken = {}
    for label in list(labels):
        try:
            taken[label] = runner.run(label, ways[label], name)
        except Failed as error:
            left_out[label] = str(error)
            del ways[label]
    return taken


class _Runner:
    """Has one competitor do the task once, and sees whether it did."""

    def __init__(self, workload, site, say):
        self.workload = workload
        self.site = site
        self.say = say

    def run(self, label, way, round_name):
        trial = round_name == 'trial'
        scratch = self.site.folder / 'run'
        scratch.mkdir()
        try:
            measured = self._run(way, scratch, trial)
        except Failed as error:
            reason = self._without_paths(str(error))
            self.say(f'{self.workload.name} {round_name} {label}: LEFT OUT: {reason}')
            raise Failed(reason) from None
        finally:
            shutil.rmtree(scratch)
            if self.workload.is_push:
                self.site.registry.empty()
        self.say(f'{self.workload.name} {round_name} {label}: {measured.seconds:.4f} s')
        return measured

    def _run(self, way, scratch, trial):
        command = way(self.site.task(scratch))
        own = scratch / 'own'
        own.mkdir()
        env = self.site.env
        if not command.moves or self.workload.kind == STARTUP:
            return measuring.run(command, own, env)
        if self.workload.is_push:
            measured = measuring.run(command, own, env)
            self._check_pushed(trial)
            return measured
        if command.writes:
            measured = measuring.run(command, own, env)
            self._check_pulled(command.writes)
            return measured
        if self.workload.kind == PULL_BLOB:
            # To nowhere, so that no storage is measured; the trial is what is checked.
            if trial and measuring.run_hashing(command, own, env) != self.site.together:
                raise Failed('what it pulled is not what was stored')
            return measuring.run(command, own, env)
        pulled = scratch / 'stdout'
        measured = measuring.run(command, own, env, stdout=str(pulled))
        self._check_pulled(pulled)
        return measured

    def _check_pulled(self, path):
        content.check_pulled(path, self.site.blobs, self.site.together)

    def _check_pushed(self, trial):
        small = self.workload.count * self.workload.size <= READ_BACK
        with self.site.wire() as wire:
            wire.check_blobs(self.site.blobs, read=trial or small)
            if self.workload.names_alias:
                wire.check_alias(ALIAS, self.site.blobs)

    def _without_paths(self, text):
        """A reason goes into files that others read: it is to say nothing of this machine."""
        for path in (self.site.folder, tools.CACHE, tools.ROOT):
            text = text.replace(f'{path}/', '')
        return text.replace(f'localhost:{self.site.port}', 'REGISTRY')
