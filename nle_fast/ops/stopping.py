"""Ending a long computation in a C library from Python, without Python being asked in between."""

from __future__ import annotations

import math

from nle_fast import _core
from nle_fast.errors import ConfigError

__all__ = ["StopFlag"]


class StopFlag:
    """A flag and a deadline that a C library looks at between its steps, through a function of ours in C++.

    The function has the type `bool (*)(void *)`; it takes two atomic reads and one look at the clock, and needs neither
    a lock nor the interpreter. Any thread may call any method.

    Attributes:
        function: Its address.
        data: The argument that it must be called with; valid as long as this object lives.

    Example:
        >>> flag = StopFlag()
        >>> flag.arm(60.0)
        >>> flag.requested
        False
        >>> flag.stop()
        >>> flag.requested
        True
    """

    def __init__(self) -> None:
        self._flag = _core.StopFlag()
        self.function: int = self._flag.function
        self.data: int = self._flag.data

    @property
    def requested(self) -> bool:
        """Whether the computation should end: stopped, or out of time."""
        return bool(self._flag.requested())

    def arm(self, seconds: float = math.inf) -> None:
        """Clears the flag and sets the deadline.

        Args:
            seconds: From now, on a clock that never goes back; infinity: no deadline; 0 or less: at once.

        Raises:
            ConfigError: NaN.
        """
        if math.isnan(seconds):
            raise ConfigError(f"`seconds` must be a number, got {seconds!r}; give the time that is left.")
        self._flag.arm(max(seconds, 0.0))

    def stop(self) -> None:
        """Ends the computation at its next step, until `arm` is called again."""
        self._flag.stop()
