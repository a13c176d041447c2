"""A push notification is read for the periods it touches; anything but the expected one is refused by name. Reference: acumatica 7."""

import json
from typing import Any

import pytest

from mlc_pipelines.acumatica.push import Notice, PushRule, read_notice
from mlc_pipelines.ledger.errors import DataError

RULE = PushRule(tenant="Meridian", query="MLC GL Changes", period_field="PostPeriod")


def note(**changes: Any) -> bytes:
    """A notification of one line that moved from September to August."""
    said = {
        "Inserted": [{"BatchNbr": "GL000123", "PostPeriod": "022026"}],
        "Deleted": [{"BatchNbr": "GL000123", "PostPeriod": "032026"}],
        "Query": "MLC GL Changes",
        "CompanyId": "Meridian",
        "Id": "a6a1",
        "TimeStamp": 636295833829493672,
        "AdditionalInfo": {},
    }
    return json.dumps(said | changes).encode()


def test_old_and_new_period_are_both_touched() -> None:
    """A line that moved leaves one period short and the other long: both must be read again."""
    expected = Notice("a6a1", "MLC GL Changes", 636295833829493672, ("FY2026-P02", "FY2026-P03"))
    assert expected == read_notice(note(), RULE)


@pytest.mark.parametrize(
    ("spelled", "order", "period"),
    [
        ("122026", "MMYYYY", "FY2026-P12"),
        ("12-2026", "MMYYYY", "FY2026-P12"),
        ("202612", "YYYYMM", "FY2026-P12"),
        ("2026-12", "YYYYMM", "FY2026-P12"),
    ],
)
def test_periods_are_read_as_the_inquiry_shows_them(spelled: str, order: Any, period: str) -> None:
    """An inquiry's author chooses how periods look; the connection says how."""
    rule = PushRule(tenant="Meridian", query="MLC GL Changes", period_field="PostPeriod", period_format=order)
    read = read_notice(note(Inserted=[{"PostPeriod": spelled}], Deleted=[]), rule)
    assert (period,) == read.periods


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"Query": "Other"}, "'Other'"),
        ({"CompanyId": "Meridian Test"}, "'Meridian Test'"),
        ({"Id": ""}, "no Id"),
        ({"TimeStamp": "yesterday"}, "no TimeStamp"),
        ({"TimeStamp": True}, "no TimeStamp"),
        ({"Inserted": {"PostPeriod": "022026"}}, "Inserted that is no list"),
        ({"Inserted": [{"Period": "022026"}]}, "without the column PostPeriod; it has Period"),
        ({"Inserted": [{"PostPeriod": "202602"}]}, "'202602'"),
    ],
)
def test_anything_else_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    """A notification of another inquiry, tenant or shape is not guessed at."""
    with pytest.raises(DataError) as refused:
        read_notice(note(**changes), RULE)
    assert named in refused.value.what


@pytest.mark.parametrize("body", [b"", b"[]", b'{"Query": ', b"\xff\xfe"])
def test_c01_what_is_no_json_object_is_refused(body: bytes) -> None:
    """C01: nothing is made of bytes that are no notification."""
    with pytest.raises(DataError):
        read_notice(body, RULE)
