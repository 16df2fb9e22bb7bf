"""Texts by one model of llama.cpp: callers wait, threads own its contexts, and texts that wait together share calls."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from nle_fast.errors import VerbalizerCancelled, VerbalizerError, VerbalizerTimeout
from nle_fast.schema import Utterance
from nle_fast.verbalizers.llama.flight import SEQUENCES, Flight, Job, Task, too_slow
from nle_fast.verbalizers.llama.model import Context, Weights, look_at

__all__ = ["POLL_S", "Cancel", "LlamaEngine"]

#: Seconds between two looks at a caller's `cancel`.
POLL_S = 0.002


class Cancel(Protocol):
    """Tells whether a text is still wanted, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Whether it is not."""


class LlamaEngine:
    """Writes texts with a GGUF model; may be shared by threads, and closes itself when nobody refers to it.

    After `os.fork`, the child loads the model anew when it first needs it.

    Args:
        path: A .gguf file.
        context: Tokens of one text and its prompt; None: what the model was trained with, at most 2048.
        threads: For decoding; None: by size of the model and the call, see `LlamaModel`.
        lazy: Load the model when the first text is asked for.

    Raises:
        VerbalizerError: No such file, a folder, empty, truncated, not GGUF, or no model that writes text.
        MissingExtraError: llama-cpp-python is not installed.
    """

    def __init__(
        self, path: Path, *, context: int | None = None, threads: int | None = None, lazy: bool = False
    ) -> None:
        look_at(path)
        self._owner = _Owner(path, context, threads)
        weakref.finalize(self, self._owner.close, abort=True)  # also when the interpreter ends
        _OWNERS.add(self._owner)
        if not lazy:
            self._owner.open()

    @property
    def counts(self) -> tuple[int, int]:
        """Calls of llama.cpp, and tokens that they read, since the model was loaded."""
        flights = list(self._owner.flights)
        return sum(flight.calls for flight in flights), sum(flight.read for flight in flights)

    def weights(self) -> Weights:
        """The model, loaded.

        Raises:
            VerbalizerError: As when the engine is made, or it was closed.
        """
        return self._owner.open()

    def start(self, tasks: Sequence[Task], deadline: float) -> list[Job]:
        """Hands tasks in; they are begun in this order.

        Args:
            tasks: To write.
            deadline: On the clock of `time.perf_counter`; a job that is not done by then has failed.

        Raises:
            VerbalizerError: Closed, or the model cannot be loaded.
        """
        jobs = [Job(task, deadline) for task in tasks]
        self._owner.put(jobs)
        return jobs

    def wait(self, job: Job, cancel: Cancel | None = None) -> Utterance:
        """The text of a job; returns when it is done, at its deadline, or 2 ms after `cancel` was set.

        Raises:
            VerbalizerTimeout: The deadline passed, in the queue or while it was written.
            VerbalizerCancelled: `cancel` was set.
            VerbalizerError: The prompt or text does not fit, llama.cpp failed, or the engine was closed.
        """
        try:
            while not job.done.is_set():
                left = self.check(job, cancel)
                job.done.wait(left if cancel is None else min(left, POLL_S))
        except BaseException:
            self.drop([job])
            raise
        if job.error is not None:
            raise job.error
        assert job.said is not None
        return job.said

    def check(self, job: Job, cancel: Cancel | None) -> float:
        """Seconds that are left for a job.

        Raises:
            VerbalizerTimeout: None, and it is not done.
            VerbalizerCancelled: `cancel` is set.
        """
        if cancel is not None and cancel.is_set():
            raise VerbalizerCancelled("`cancel` must stay unset until the text is done, but it was set; ask anew.")
        left = job.deadline - time.perf_counter()
        if left <= 0 and not job.done.is_set():
            why = "the model did not finish" if job.position else "the model was busy with other texts"
            raise VerbalizerTimeout(too_slow(self._owner.path.name, why))
        return left

    def drop(self, jobs: Sequence[Job]) -> None:
        """Gives jobs up; a call in which nothing else is read is ended."""
        self._owner.drop(jobs)

    def close(self) -> None:
        """Frees the model, once the texts that were asked for are done; may be called twice."""
        self._owner.close()


class _Owner:
    """The queue, the model, and the threads that each own a context of it; all under one lock.

    One thread loads the model and begins; where more texts wait than threads work, and the model is small enough to
    gain by it, another one is started. Each then takes half of its even share at a time, and who is done first takes
    more, so that a batch keeps all threads busy to its end.
    """

    def __init__(self, path: Path, context: int | None, threads: int | None) -> None:
        self.path, self._options = path, (context, threads)
        self._closed = False
        self.forget()

    def forget(self) -> None:
        """Begins anew without threads and a model; in the child of a fork, they do not exist."""
        self._changed = threading.Condition()  # its lock may be taken again by the thread that has it: see `close`
        self._queue: deque[Job] = deque()
        self._threads: list[threading.Thread] = []
        self._loaded = threading.Event()
        self._weights: Weights | None = None
        self._failed: BaseException | None = None
        self.flights: list[Flight] = []

    # Callers

    def open(self) -> Weights:
        """Starts the first thread where there is none, and waits until it has loaded the model."""
        with self._changed:
            if self._closed:
                raise self._shut()
            if not self._threads:
                self._loaded, self._failed = threading.Event(), None
                self._start()
            loaded = self._loaded
        loaded.wait()
        weights, failed = self._weights, self._failed
        if failed is not None:
            raise failed
        if weights is None:
            raise self._shut()
        return weights

    def put(self, jobs: Sequence[Job]) -> None:
        """Queues jobs."""
        weights = self._weights or self.open()
        with self._changed:
            if self._closed:
                raise self._shut()
            self._queue.extend(jobs)
            waiting = len(self._queue) + sum(len(flight.jobs) for flight in self.flights)
            if len(self._threads) < min(waiting, weights.contexts):
                self._start()
            self._changed.notify(len(jobs))

    def drop(self, jobs: Sequence[Job]) -> None:
        """Marks jobs as unwanted, and ends the calls in which nothing else is read."""
        with self._changed:
            for job in jobs:
                job.unwanted = True
            for flight in self.flights:
                flying = list(flight.jobs)
                if flying and all(job.unwanted for job in flying):
                    flight.context.stop.stop()

    def close(self, *, abort: bool = False) -> None:
        """Ends the threads; the last of them frees the model.

        The lock may be taken twice by one thread, and a thread does not wait for itself, because a finalizer runs
        wherever garbage is collected.
        """
        with self._changed:
            self._closed = True
            if abort:
                self.drop([*self._queue, *(job for flight in self.flights for job in flight.jobs)])
            threads = list(self._threads)
            self._changed.notify_all()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()

    def _shut(self) -> VerbalizerError:
        return VerbalizerError(f"`verbalizer` must be open, but {self.path.name} was closed; make a new one.")

    def _start(self) -> None:
        thread = threading.Thread(target=self._serve, name=f"llama {self.path.name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    # The threads

    def _serve(self) -> None:
        flight: Flight | None = None
        try:
            flight = self._board()
            self._loaded.set()
            self._run(flight)
        except BaseException as error:
            with self._changed:
                if self._weights is not None and self.flights:
                    self._weights.contexts = len(self.flights)  # no room for more: fewer must do
                else:
                    self._failed = error
        finally:
            if flight is not None:
                flight.context.close()
            with self._changed:
                self._threads.remove(threading.current_thread())
                if flight is not None:
                    self.flights.remove(flight)
                if not self._threads:
                    weights, self._weights = self._weights, None
                    if weights is not None:
                        weights.close()
                    while self._queue:  # only where a thread broke down
                        self._queue.popleft().finish(None, self._shut())
            self._loaded.set()

    def _board(self) -> Flight:
        """A context of this thread's own; the first thread also loads the model."""
        weights = self._weights or Weights(self.path, *self._options)
        try:
            flight = Flight(Context(weights, SEQUENCES))
        except BaseException:
            if weights is not self._weights:
                weights.close()
            raise
        with self._changed:
            self._weights = weights
            self.flights.append(flight)
        return flight

    def _run(self, flight: Flight) -> None:
        while True:
            try:
                while job := self._next(flight):
                    flight.begin(job)
                with self._changed:
                    if self._closed and not (flight.jobs or self._queue):
                        return
                    call = flight.next_call()
                if call:
                    flight.make(call)
            except Exception as error:
                flight.fail(error)
            if flight.back:
                with self._changed:
                    self._queue.extendleft(reversed(flight.back))
                    flight.back.clear()

    def _next(self, flight: Flight) -> Job | None:
        """The next job of the queue that may begin now; waits for one where nothing is in flight."""
        with self._changed:
            while not (self._queue or flight.jobs or self._closed):
                self._changed.wait()
            while self._queue and flight.has_place_for(self._queue[0]):
                share = (len(self._queue) + sum(len(other.jobs) for other in self.flights)) / len(self.flights)
                if flight.jobs and len(flight.jobs) >= (share if len(self.flights) == 1 else share / 2):
                    break
                job = self._queue.popleft()
                if not job.unwanted:
                    return job
            return None


_OWNERS: weakref.WeakSet[_Owner] = weakref.WeakSet()


def _forget_all() -> None:
    for owner in list(_OWNERS):
        owner.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
