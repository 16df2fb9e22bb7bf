"""Texts in flight: which tokens go into the next call of llama.cpp, and what its logits decide.

Every text is a sequence of the context. A call reads what all of them have waiting, logits only after the last token of
each. The beginning that prompts share is read once; other texts get a copy of it, which costs nothing.

The last bits of a logit depend on what else is in a call. So that a text does not, one that came near a tie beside
others is written again alone; the choices that it made before are kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nle_fast.errors import VerbalizerError, VerbalizerTimeout
from nle_fast.schema import Utterance
from nle_fast.verbalizers.llama.decoding import Step, Steps, Writer
from nle_fast.verbalizers.llama.model import BATCH, Context, Row
from nle_fast.verbalizers.llama.prompt import Piece

__all__ = ["SEQUENCES", "Flight", "Job", "Task", "too_slow"]

_WIDTH = 8  # texts side by side
_KEPT = 4  # beginnings of prompts that stay in the context
#: Sequences that a model must keep apart.
SEQUENCES = _WIDTH + _KEPT


@dataclass(frozen=True, slots=True)
class Task:
    """One text to write.

    Attributes:
        beginning: Of the prompt, the same from text to text; may be empty.
        prompt: The rest of the prompt.
        write: Makes the steps.
    """

    beginning: tuple[Piece, ...]
    prompt: tuple[Piece, ...]
    write: Writer


class Job:
    """A task on its way.

    Attributes:
        deadline: On the clock of `time.perf_counter`.
        done: Set when `said` or `error` is there.
        unwanted: Set by whoever gave it up.
        alone: It must have no other beside it.
    """

    def __init__(self, task: Task, deadline: float) -> None:
        self.task, self.deadline = task, deadline
        self.done = threading.Event()
        self.said: Utterance | None = None
        self.error: BaseException | None = None
        self.unwanted = self.alone = False
        self.choices: list[int] = []  # tokens chosen, also by an earlier try
        self.land()

    def land(self) -> None:
        """Back to the start; the choices stay."""
        self.steps: Steps | None = None
        self.step: Step | None = None
        self.waiting: Sequence[int] = ()
        self.sequence = -1
        self.position = self.chosen = self.borrowed = 0
        self.beginning = self.shared = False

    def finish(self, said: Utterance | None, error: BaseException | None = None) -> None:
        """Gives the result to whoever waits."""
        if self.steps is not None:
            self.steps.close()
        self.said, self.error = said, error
        self.done.set()


class Flight:
    """Runs writers on one context, for the thread that owns it.

    Args:
        context: With `SEQUENCES` sequences.

    Attributes:
        jobs: In flight.
        back: Must begin again, alone; for whoever has the queue to take.
        calls: Number of calls of llama.cpp so far.
        read: Number of tokens that they read.
    """

    def __init__(self, context: Context) -> None:
        self.context, self._weights, self._name = context, context.weights, context.weights.path.name
        self.jobs: list[Job] = []
        self.back: list[Job] = []
        self.calls = self.read = 0
        self._free = list(range(SEQUENCES))
        self._kept: dict[tuple[Piece, ...], tuple[int, int]] = {}  # beginning → sequence, tokens

    def has_place_for(self, job: Job) -> bool:
        """Whether a job may begin now.

        One with a new beginning waits until all others are done: what is kept lies before everything else.
        """
        if not self.jobs:
            return True
        if job.alone or self.jobs[0].alone or len(self.jobs) >= _WIDTH:
            return False
        return not job.task.beginning or job.task.beginning in self._kept

    def begin(self, job: Job) -> None:
        """Takes a job on board, up to its first step."""
        task, tokens = job.task, self._weights.tokens
        try:
            prompt = tokens.prompt(task.prompt)
            job.steps = task.write(tokens, prompt if task.beginning else tokens.begin + prompt)
            job.step = next(job.steps)
        except StopIteration as end:
            job.finish(end.value)
            return
        except Exception as error:
            job.finish(None, error)
            return
        job.waiting = job.step.tokens
        if task.beginning and task.beginning not in self._kept:
            if len(self._kept) == _KEPT:
                self.clear()
            job.waiting, job.beginning = tokens.begin + tokens.prompt(task.beginning), True
        job.sequence = self._free.pop()
        if task.beginning and not job.beginning:
            kept, job.position = self._kept[task.beginning]
            job.borrowed = job.position
            self.context.copy(kept, job.sequence)
        self.jobs.append(job)

    def next_call(self) -> list[tuple[Job, int]]:
        """Who reads how many tokens next; those who are late, unwanted, or do not fit leave."""
        now = time.perf_counter()
        for job in list(self.jobs):
            if job.unwanted:
                self._leave(job, VerbalizerError("nobody waits for it"))
            elif now > job.deadline:
                self._leave(job, VerbalizerTimeout(too_slow(self._name, "the model did not finish")))
            elif job.position + len(job.waiting) > self._weights.context:
                self._leave(job, self._no_room(job))
        self._make_room()
        for job in self.jobs:
            job.shared |= len(self.jobs) > 1
        call, room = [], BATCH
        for job in self.jobs:
            count = min(len(job.waiting), room)
            if count:
                call.append((job, count))
                room -= count
        if call:
            self.context.stop.arm(max(job.deadline for job in self.jobs) - now)
        return call

    def make(self, call: Sequence[tuple[Job, int]]) -> None:
        """Reads, and goes on with whoever has its logits.

        Raises:
            VerbalizerError: llama.cpp failed.
        """
        rows = [
            Row(job.sequence, job.position, job.waiting[:count], count == len(job.waiting) and not job.beginning)
            for job, count in call
        ]
        self.calls += 1
        if not self.context.read(rows):
            return  # who is late or unwanted leaves before the next call
        self.read += sum(count for _, count in call)
        at = 0
        for job, count in call:
            at += count
            job.position += count
            job.waiting = job.waiting[count:]
            if not job.waiting and not self._go_on(job, at - 1):
                self._send_back(job)

    def fail(self, error: BaseException) -> None:
        """Everybody in flight gets the error, and the context is emptied: what it holds is not known."""
        for job in self.jobs:
            job.finish(None, error)
        self.clear()

    def clear(self) -> None:
        """Empties the context."""
        self.context.clear()
        self.jobs, self._free, self._kept = [], list(range(SEQUENCES)), {}

    def _go_on(self, job: Job, at: int) -> bool:
        """Takes the next step of a job that has read all that it had waiting; False: near a tie beside others."""
        assert job.steps is not None
        assert job.step is not None
        if job.beginning:
            kept = self._free.pop()
            self.context.copy(job.sequence, kept)
            self._kept[job.task.beginning] = kept, job.position
            job.beginning, job.waiting, job.borrowed = False, job.step.tokens, job.position
            return True
        if job.chosen < len(job.choices):
            token = job.choices[job.chosen]
        else:
            token, ahead = _best(self.context.logits(at), job.step.among, self._weights.tokens.size)
            if job.shared and ahead < self._weights.noise:
                return False
            job.choices.append(token)
        job.chosen += 1
        try:
            job.step = job.steps.send(token)
        except StopIteration as end:
            self._leave(job, None, end.value)
        except Exception as error:
            self._leave(job, error)
        else:
            job.waiting = job.step.tokens
        return True

    def _make_room(self) -> None:
        """Fewer jobs, then fewer beginnings, where the context has no room for the next call."""
        while self.jobs:
            kept = sum(length for _, length in self._kept.values())
            own = sum(job.position - job.borrowed + len(job.waiting) for job in self.jobs)
            if kept + own <= self._weights.cells:
                return
            first = self.jobs[0]
            if len(self.jobs) > 1:
                self._send_back(self.jobs[-1])
            elif others := [beginning for beginning in self._kept if beginning != first.task.beginning]:
                for beginning in others:
                    sequence, _ = self._kept.pop(beginning)
                    self.context.remove(sequence)
                    self._free.append(sequence)
            else:
                self._leave(first, self._no_room(first))

    def _send_back(self, job: Job) -> None:
        self._land(job)
        job.land()
        job.alone = True
        self.back.append(job)

    def _leave(self, job: Job, error: BaseException | None, said: Utterance | None = None) -> None:
        self._land(job)
        job.finish(said, error)

    def _land(self, job: Job) -> None:
        self.context.remove(job.sequence)
        self._free.append(job.sequence)
        self.jobs.remove(job)

    def _no_room(self, job: Job) -> VerbalizerError:
        return VerbalizerError(
            f"`context` must hold the prompt and the text of {job.position + len(job.waiting)} tokens, got "
            f"{self._weights.context} with {self._name}; use a model with a longer context, or verbalizer='template'."
        )


def too_slow(name: str, why: str) -> str:
    """Message of a text that took too long."""
    return f"`timeout_s` must leave time for the text, but {why} in time with {name}; raise it, or use a smaller model."


def _best(logits: Any, among: Sequence[int] | None, size: int) -> tuple[int, float]:
    """The token with the highest logit, the first of equals, and how far it is ahead of the next."""
    if among is None:
        values = np.ctypeslib.as_array(logits, (size,))
        token = int(values.argmax())
        rest = max(values[:token].max(initial=-np.inf), values[token + 1 :].max(initial=-np.inf))
        return token, float(values[token] - rest)
    best, second = -1, -np.inf
    highest = -np.inf
    for token in among:
        value = logits[token]
        if value > highest:
            best, highest, second = token, value, highest
        elif value > second:
            second = value
    return (best, highest - second) if best >= 0 else (among[0], 0.0)
