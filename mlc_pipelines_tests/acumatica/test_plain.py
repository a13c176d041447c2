"""The parts that need no site: periods, subaccount shapes, value objects."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlc_pipelines.acumatica import periods, wire
from mlc_pipelines.acumatica.config import AcumaticaConfig, SegmentRule
from mlc_pipelines.ledger.amounts import minor_column
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import monthly_calendar


@pytest.mark.parametrize(
    ("text", "key"), [("032026", "FY2026-P03"), ("03-2026", "FY2026-P03"), ("132026", "FY2026-P13")]
)
def test_both_spellings_of_a_period(text: str, key: str) -> None:
    """MMYYYY and MM-YYYY are the same period; MM is the number in the financial year."""
    assert key == periods.to_key(text, "here")


@pytest.mark.parametrize(
    "text", ["202603", "2026-03", "32026", "002026", "192026", "03/2026", " 032026", "031899", "", None]
)
def test_any_other_spelling_is_refused_by_name(text: str | None) -> None:
    """Above all YYYYMM, which looks alike; also digits of other scripts."""
    with pytest.raises(DataError, match="GL201000"):
        periods.to_key(text, "GL201000")


def test_every_period_goes_there_and_back() -> None:
    """What we write is what we read."""
    for period in monthly_calendar(2020, 2030, first_month=4, adjustment=True).periods:
        assert {period.key} == {periods.to_key(text, "here") for text in periods.spellings(period)}


@pytest.mark.parametrize(
    ("rule", "subaccount", "center"),
    [
        (SegmentRule(), "010-000", "010"),
        (SegmentRule(segment=2), "010-ADV", "ADV"),
        (SegmentRule(separator="", lengths=(3, 3)), "010ADV", "010"),
        (SegmentRule(separator="", lengths=(2, 3, 1), segment=2), "01ADVX", "ADV"),
        (SegmentRule(separator=".", lengths=(2, 2)), "NA.00", "NA"),
    ],
)
def test_the_cost_center_is_a_segment(rule: SegmentRule, subaccount: str, center: str) -> None:
    """Cut at the separator or by length, and always text."""
    assert center == rule.cost_center(subaccount)


@pytest.mark.parametrize(
    ("rule", "subaccount"),
    [
        (SegmentRule(segment=2), "010"),
        (SegmentRule(), ""),
        (SegmentRule(), "010--"),
        (SegmentRule(lengths=(3, 3)), "010-00"),
        (SegmentRule(lengths=(3, 3)), "010-000-0"),
        (SegmentRule(separator="", lengths=(3, 3)), "01000"),
        (SegmentRule(separator="", lengths=(3, 3)), "0100000"),
    ],
)
def test_another_shape_is_refused(rule: SegmentRule, subaccount: str) -> None:
    """A subaccount that does not have the declared shape is never cut anyhow."""
    with pytest.raises(DataError, match="declared shape"):
        rule.cost_center(subaccount)


@pytest.mark.parametrize(
    "wrong", [{"segment": 0}, {"separator": ""}, {"segment": 3, "lengths": (3, 3)}, {"lengths": (3, 0)}]
)
def test_a_shape_that_contradicts_itself(wrong: dict[str, Any]) -> None:
    """Refused when it is built."""
    with pytest.raises(SetupError, match="subaccount"):
        SegmentRule(**wrong)


@pytest.mark.parametrize("wrong", [{"auth": "basic"}, {"lines_from": "odata"}, {"page_batches": 0}, {"company": " "}])
def test_a_connection_that_contradicts_itself(wrong: dict[str, Any]) -> None:
    """The message names the line of the connection file."""
    said: dict[str, Any] = {
        "url": "https://erp.example.com/Site",
        "tenant": "T",
        "company": "C",
        "ledger": "L",
        **wrong,
    }
    with pytest.raises(SetupError, match=rf"erp\.{next(iter(wrong))}"):
        AcumaticaConfig(**said)


plain = st.none() | st.booleans() | st.integers() | st.text()


@given(st.dictionaries(st.text(min_size=1), plain))
def test_value_objects_go_there_and_back(fields: dict[str, Any]) -> None:
    """Wrapping and unwrapping changes nothing, over the wire too; a field without value travels as {}."""
    wrapped = wire.wrap(fields)
    assert fields == wire.unwrap(msgspec.json.decode(msgspec.json.encode(wrapped)))
    assert [name for name, value in fields.items() if value is None] == [n for n, v in wrapped.items() if v == {}]


@given(st.lists(st.integers(-(10**17), 10**17)))
def test_amounts_keep_every_cent(minors: list[int]) -> None:
    """Any column of cents, written with four decimals as the site does, comes back as the same cents."""
    texts = [f"{'-' * (m < 0)}{abs(m) // 100}.{abs(m) % 100:02d}00" for m in minors]
    raws = [msgspec.Raw(text.encode()) for text in texts]
    assert minors == minor_column(raws, "USD", "Amount", str).to_pylist()


@pytest.mark.parametrize(
    ("currency", "text", "minor"), [("JPY", "1200.0000", 1200), ("KWD", "1.2340", 1234), ("USD", "-5", -500)]
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, text: str, minor: int) -> None:
    """Yen have no cents, dinars have three decimals."""
    assert [minor] == minor_column([msgspec.Raw(text.encode())], currency, "Amount", str).to_pylist()


@pytest.mark.parametrize(("currency", "text"), [("JPY", "1200.5000"), ("USD", "0.001"), ("KWD", "0.0001")])
def test_an_amount_finer_than_its_currency_is_refused(currency: str, text: str) -> None:
    """Never rounded; the row is named."""
    with pytest.raises(DataError, match=rf"row 1: Amount is refused: {text}"):
        minor_column([msgspec.Raw(b"1"), msgspec.Raw(text.encode())], currency, "Amount", lambda row: f"row {row}")
