"""The last net under the logs: a revealed secret is blanked out of every record, whoever writes it, and each catch is counted."""

import io
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from mlc_pipelines.transport.logs import Net, caught
from mlc_pipelines.transport.secret import Secret

CANARY = 'canary-Net-5d81"/ö'


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a handler of somebody else's writes, made before the first secret was revealed."""
    before, page = logging.getLogRecordFactory(), io.StringIO()
    handler, logger = logging.StreamHandler(page), logging.getLogger("some.library")
    logger.addHandler(handler)
    Secret(CANARY + str(id(page)), "control").reveal()
    yield page
    logger.removeHandler(handler)
    logging.setLogRecordFactory(before)


def test_a_library_that_logs_a_secret_writes_none(written: io.StringIO) -> None:
    """In the text, in its arguments, as JSON and in an address: each one is caught and counted."""
    value, seen = Secret(CANARY, "demo/password").reveal(), caught()
    logger = logging.getLogger("some.library")
    logger.warning("header %s", {"Authorization": f"Basic {value}"})
    logger.warning(json.dumps({"password": value}))
    assert "5d81" not in written.getvalue()
    logger.warning("GET /x?p=%s", quote(value, safe=""))
    logger.warning("innocent %s", "text")
    assert "5d81" not in written.getvalue()
    assert 3 == written.getvalue().count("[secret]") == caught() - seen
    assert "innocent text" in written.getvalue()


def test_neither_does_a_traceback_or_a_broken_record(written: io.StringIO) -> None:
    """An exception whose text repeats the secret is written as text without it; arguments that do not fit are not printed beside a complaint."""
    value = Secret(CANARY, "demo/password").reveal()
    logger = logging.getLogger("some.library")
    try:
        raise ValueError(f"cannot use {value}")
    except ValueError:
        logger.exception("failed")
    logger.warning("%d apples", value)
    assert "5d81" not in written.getvalue()
    assert "ValueError: cannot use [secret]" in written.getvalue()


def test_there_is_one_net_however_many_secrets(written: io.StringIO) -> None:
    """A second one below the first would count twice and cost twice."""
    Secret("another-secret-77", "x").reveal()
    made = logging.getLogRecordFactory()
    assert isinstance(made, Net)
    assert not isinstance(made._make, Net)
