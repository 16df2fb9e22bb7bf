"""The engine: time limits, cancelling, streaming, closing, forks, memory, the interpreter's end."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from language_models import open_models, write_model
from verbalizers_cases import LONG, ZEBRA, some

from nle_fast import Llama
from nle_fast.errors import VerbalizerCancelled, VerbalizerError, VerbalizerTimeout
from nle_fast.schema import Utterance
from nle_fast.verbalizers import TemplateVerbalizer, check, speak


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Open verbalizers: one that reads compact prompts, one that reads text."""
    with open_models(tmp_path_factory.mktemp("models")) as opened:
        yield opened


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A verbalizer whose texts take long enough to be caught in the middle."""
    path = tmp_path_factory.mktemp("models") / "slow.gguf"
    with Llama(write_model(path, "sentence pieces", layers=8, width=192), timeout_s=60) as verbalizer:
        yield verbalizer


def in_flight(verbalizer):
    return [job for flight in verbalizer._engine._owner.flights for job in flight.jobs]


def wait_until(condition):
    end = time.perf_counter() + 30
    while not condition():
        assert time.perf_counter() < end
        time.sleep(0.001)


# Time and cancelling


def test_a_short_time_gives_the_template_and_says_so(slow):
    slow.timeout_s = 0.001
    try:
        with pytest.raises(VerbalizerTimeout, match="`timeout_s`"):
            slow.verbalize(LONG)
        said = speak(slow, LONG)
    finally:
        slow.timeout_s = 60
    assert said.text == TemplateVerbalizer().verbalize(LONG).text
    assert said.verbalizer == "template"
    assert "`timeout_s` must leave time" in said.note
    assert check(slow.verbalize(ZEBRA).text, ZEBRA)  # still usable


def test_waiting_for_others_counts(slow):
    enough = threading.Event()

    def others():
        with pytest.raises(VerbalizerCancelled):
            slow.batch([LONG] * 40, cancel=enough)

    hasty = Llama(slow.path, timeout_s=0.02)
    hasty.close()
    hasty._engine = slow._engine
    thread = threading.Thread(target=others)
    thread.start()
    wait_until(lambda: in_flight(slow))
    with pytest.raises(VerbalizerTimeout, match="busy with other texts"):
        hasty.verbalize(LONG)
    enough.set()
    thread.join(60)
    wait_until(lambda: not in_flight(slow))


def test_cancelling_ends_the_call_and_the_engine_goes_on(slow, capfd):
    expected = slow.verbalize(LONG)
    _, read = slow._engine.counts
    slow.verbalize(LONG)
    cost = slow._engine.counts[1] - read
    for beginning in (False, True):
        if beginning:  # cancelled while the beginning of the prompt is read
            slow._engine.start([], 0)
            for each in slow._engine._owner.flights:
                each._kept.clear()
                each.clear()
        cancel, before = threading.Event(), slow._engine.counts[1]
        threading.Timer(0.01, cancel.set).start()
        with pytest.raises(VerbalizerCancelled, match="`cancel`"):
            slow.verbalize(LONG, cancel=cancel)
        wait_until(lambda: not in_flight(slow))
        assert slow._engine.counts[1] - before < cost + 500 * beginning
        assert slow.verbalize(LONG) == expected
    assert capfd.readouterr().err == ""


def test_cancelled_before_it_began(models):
    cancel = threading.Event()
    cancel.set()
    verbalizer = models["byte pairs"]
    for ask in (verbalizer.verbalize, lambda what, cancel: verbalizer.batch([what] * 3, cancel=cancel)):
        with pytest.raises(VerbalizerCancelled):
            ask(ZEBRA, cancel=cancel)
    with pytest.raises(VerbalizerCancelled):
        list(verbalizer.stream(ZEBRA, cancel=cancel))
    assert check(verbalizer.verbalize(ZEBRA).text, ZEBRA)


def test_a_cancelled_text_is_not_replaced():
    class Stopped:
        name = "stopped"

        def verbalize(self, meaning):
            raise VerbalizerCancelled("enough")

    with pytest.raises(VerbalizerCancelled, match="enough"):
        speak(Stopped(), ZEBRA)


def test_one_of_several_is_cancelled_and_the_others_are_not(slow):
    expected = slow.verbalize(ZEBRA)
    cancel, found = threading.Event(), []
    threads = [threading.Thread(target=lambda: found.append(slow.verbalize(ZEBRA))) for _ in range(3)]
    for thread in threads:
        thread.start()
    threading.Timer(0.02, cancel.set).start()
    with pytest.raises(VerbalizerCancelled):
        slow.verbalize(LONG, cancel=cancel)
    for thread in threads:
        thread.join(60)
    assert found == [expected] * 3


# Streaming


@pytest.mark.parametrize("name", ["byte pairs", "sentence pieces"])
def test_pieces_of_a_stream_are_the_text(models, name):
    for what in [*some(6), LONG]:
        said = models[name].verbalize(what)
        pieces = list(models[name].stream(what))
        assert "".join(text for text, _ in pieces) == said.text
        assert tuple(span for _, spans in pieces for span in spans) == said.spans
        end = 0
        for text, spans in pieces:
            start, end = end, end + len(text)
            assert all(start < span.end <= end for span in spans)
    assert len(pieces) > 3


def test_a_stream_in_free_mode_is_one_piece(models):
    with Llama(models["sentence pieces"].path, mode="free", max_tokens=3) as free:
        assert [text for text, _ in free.stream(ZEBRA)] == [free.verbalize(ZEBRA).text]


def test_closing_a_stream_ends_its_text(slow):
    stream = slow.stream(LONG)
    assert next(stream)[0]
    assert in_flight(slow)
    stream.close()
    wait_until(lambda: not in_flight(slow))
    assert check(slow.verbalize(ZEBRA).text, ZEBRA)


# Closing, and the end


def test_closing_waits_for_texts_and_refuses_new_ones(models):
    verbalizer = Llama(models["sentence pieces"].path, timeout_s=60)
    expected, found = models["sentence pieces"].verbalize(LONG), []
    thread = threading.Thread(target=lambda: found.append(verbalizer.verbalize(LONG)))
    thread.start()
    wait_until(lambda: in_flight(verbalizer) or found)
    engine = verbalizer._engine
    verbalizer.close()
    verbalizer.close()
    thread.join(60)
    assert found == [expected]
    assert not engine._owner._threads
    for ask in (
        verbalizer.verbalize,
        lambda what: verbalizer.batch([what]),
        lambda what: list(verbalizer.stream(what)),
    ):
        with pytest.raises(VerbalizerError, match="closed"):
            ask(ZEBRA)
    with pytest.raises(VerbalizerError, match="closed"):
        engine.start([], 0)


def test_an_engine_that_nobody_holds_ends_its_thread(models):
    verbalizer = Llama(models["byte pairs"].path)
    (thread,) = verbalizer._engine._owner._threads
    del verbalizer
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_fork_loads_the_model_anew(models):
    expected = models["byte pairs"].verbalize(ZEBRA)
    child = os.fork()
    if not child:  # pragma: no cover - the child
        status = 1
        try:
            status = int(models["byte pairs"].verbalize(ZEBRA) != expected)
            models["byte pairs"].close()
        finally:
            os._exit(status)
    for _ in range(600):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        time.sleep(0.05)
    else:
        os.kill(child, 9)
        pytest.fail("the child hangs")
    assert os.waitstatus_to_exitcode(status) == 0
    assert models["byte pairs"].verbalize(ZEBRA) == expected


@pytest.mark.parametrize("busy", [False, True])
def test_the_interpreter_ends_without_closing(slow, busy):
    code = f"""
import sys, threading, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_verbalizers_engine import LONG, ZEBRA, Llama, in_flight
verbalizer = Llama({str(slow.path)!r})
verbalizer.verbalize(ZEBRA)
if {busy}:
    threading.Thread(target=verbalizer.batch, args=([LONG] * 8,), daemon=True).start()
    while not in_flight(verbalizer):
        time.sleep(0.001)
print("done")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
def test_five_hundred_texts_leave_nothing_behind(models):
    def memory():
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    what = some(50)
    verbalizer = models["byte pairs"]

    def write():
        for start in range(0, 50, 10):
            assert all(isinstance(said, Utterance) for said in verbalizer.batch(what[start : start + 5]))
            for one in what[start + 5 : start + 10]:
                verbalizer.verbalize(one)

    for _ in range(3):
        write()
    before = memory()
    for _ in range(10):
        write()
    assert memory() - before < 1 << 20
