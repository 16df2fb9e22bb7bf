"""The flag that ends a computation in a C library: asked through its C function, as the library asks it."""

from __future__ import annotations

import ctypes
import math
import threading
import time

import pytest

from nle_fast.errors import ConfigError
from nle_fast.ops import StopFlag


def ask(flag):
    return ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)(flag.function)(flag.data)


def test_goes_on_until_it_is_stopped():
    flag = StopFlag()
    assert not ask(flag)
    flag.stop()
    assert ask(flag)
    assert flag.requested
    flag.arm()
    assert not ask(flag)


@pytest.mark.parametrize("seconds", [0.0, -1.0, -math.inf])
def test_no_time_left(seconds):
    flag = StopFlag()
    flag.arm(seconds)
    assert ask(flag)


@pytest.mark.parametrize("seconds", [60.0, 1e9, 1e300, math.inf])
def test_time_left(seconds):
    flag = StopFlag()
    flag.arm(seconds)
    assert not ask(flag)


def test_the_deadline_passes():
    flag = StopFlag()
    flag.arm(0.02)
    time.sleep(0.03)
    assert ask(flag)


def test_flags_are_apart():
    one, other = StopFlag(), StopFlag()
    one.stop()
    assert not ask(other)
    assert one.function == other.function


def test_another_thread_may_stop_it():
    flag = StopFlag()
    thread = threading.Thread(target=flag.stop)
    thread.start()
    thread.join()
    assert ask(flag)


def test_nan_is_refused():
    with pytest.raises(ConfigError, match="`seconds`"):
        StopFlag().arm(math.nan)
