"""The books as seeded, for tests that only read."""

import pytest

from mlc_pipelines.sandbox.ironvale import Ironvale, sample_books


@pytest.fixture(scope="session")
def seeded() -> Ironvale:
    """The books as seeded: read only."""
    return sample_books()


@pytest.fixture
def books() -> Ironvale:
    """The books as seeded, to be changed."""
    return sample_books()
