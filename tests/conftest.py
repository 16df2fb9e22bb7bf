"""Fixtures for all tests. What needs ../shared/data is skipped, with the reason, where it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A submission is judged on the same examples each time; elsewhere each run looks for new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

SHARED = Path(os.environ.get("NLE_SHARED", Path(__file__).parents[2] / "shared")) / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real networks and photos."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the real networks and photos, not found at {SHARED}; set NLE_SHARED to their folder")
    return SHARED
