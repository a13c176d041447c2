"""Money is a whole number of minor units; nothing is rounded on its way in or out."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.money import LARGEST_MINOR, Money, minor_digits, require_summable, to_minor

MINORS = st.integers(-LARGEST_MINOR, LARGEST_MINOR)


@pytest.mark.parametrize(
    ("currency", "digits"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("BHD", 3), ("CLF", 4)]
)
def test_each_currency_has_its_own_decimals(currency: str, digits: int) -> None:
    """Yen has none, the Kuwaiti dinar three."""
    assert digits == minor_digits(currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1204.50", "USD", 120450),
        ("-0.01", "USD", -1),
        ("-0.00", "USD", 0),
        ("1E+3", "USD", 100000),
        ("1204.5000000", "USD", 120450),
        ("1204", "JPY", 1204),
        ("1204.0", "JPY", 1204),
        ("1.234", "KWD", 1234),
        ("92233720368547758.07", "USD", LARGEST_MINOR),
        ("0E+999999", "USD", 0),
    ],
)
def test_an_amount_from_its_text(text: str, currency: str, minor: int) -> None:
    """However it is spelled, the amount is the same to the cent."""
    assert Money(minor, currency) == Money.of(text, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("0.005", "USD"),
        ("1204.501", "USD"),
        ("0.5", "JPY"),
        ("1.2345", "KWD"),
        ("1E-7", "USD"),
        ("1E-999999", "USD"),
        ("1.000000000000000000000000000000001", "USD"),
        ("-99999999999999999.9900000000000000000000000000001", "KWD"),
    ],
)
def test_finer_than_the_currency_is_refused_and_never_rounded(text: str, currency: str) -> None:
    """Half a cent is somebody's mistake; also where Decimal itself would have rounded it away after 28 digits."""
    with pytest.raises(DataError, match=r"finer than|larger than") as refusal:
        Money.of(text, currency)
    assert str(Decimal(text)) in refusal.value.what


def test_a_long_fraction_is_called_finer_not_larger() -> None:
    """The message names the trouble and the decimals that are allowed."""
    with pytest.raises(DataError, match=r"0\.005 is finer than USD allows \(2 decimals\); it is not rounded"):
        Money.of("0.005", "USD")


@pytest.mark.parametrize(
    "text", ["NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "abc", "", "1,204.50", "1.2.3", "12 USD"]
)
def test_what_is_no_number_is_no_amount(text: str) -> None:
    """NaN and Infinity are numbers to Python, not to a bookkeeper."""
    with pytest.raises(DataError, match="is not an amount of USD"):
        Money.of(text, "USD")


@pytest.mark.parametrize("text", ["92233720368547758.08", "-92233720368547758.08", "1E+400", "1E+999999", "9" * 40])
def test_an_absurd_amount_is_refused(text: str) -> None:
    """What 64 bits cannot hold is refused here, not wrapped round later."""
    with pytest.raises(DataError, match="larger than any ledger amount"):
        Money.of(text, "USD")


@given(MINORS, st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_out_and_in_again_is_the_same_amount(minor: int, currency: str) -> None:
    """Through Decimal and through the text people read."""
    money = Money(minor, currency)
    assert minor == to_minor(money.decimal, currency)
    assert money == Money.of(str(money).removesuffix(f" {currency}").replace(",", ""), currency)
    assert minor_digits(currency) == -int(money.decimal.as_tuple().exponent)


@given(st.decimals(allow_nan=False, allow_infinity=False), st.sampled_from(["USD", "JPY", "KWD"]))
def test_any_decimal_is_taken_exactly_or_refused(amount: Decimal, currency: str) -> None:
    """There is no third way."""
    try:
        minor = to_minor(amount, currency)
    except DataError:
        return
    assert amount == Decimal(minor).scaleb(-minor_digits(currency))


@pytest.mark.parametrize(
    ("money", "shown"),
    [
        (Money(120450, "USD"), "1,204.50 USD"),
        (Money(-1, "USD"), "-0.01 USD"),
        (Money(0, "USD"), "0.00 USD"),
        (Money(1204, "JPY"), "1,204 JPY"),
        (Money(1234567, "KWD"), "1,234.567 KWD"),
    ],
)
def test_money_reads_as_people_write_it(money: Money, shown: str) -> None:
    """Thousands marks, all decimals of the currency, the currency behind."""
    assert shown == str(money)


@given(st.lists(MINORS, max_size=20))
def test_a_column_that_passes_the_guard_cannot_wrap_round(minors: list[int]) -> None:
    """Whatever is let through adds up in 64 bits as it does without limits."""
    column = np.array(minors, "int64")
    try:
        require_summable(column)
    except DataError:
        assert sum(map(abs, minors)) > LARGEST_MINOR // max(len(minors), 1)
        return
    assert sum(minors) == int(column.sum())


def test_the_guard_takes_ordinary_columns_and_names_the_absurd() -> None:
    """A million lines of a million each are fine; two halves of the range are not."""
    require_summable(np.array([], "int64"))
    require_summable(np.full(1_000_000, 100_000_000, "int64"))
    with pytest.raises(DataError, match=r"2 amounts of up to 4,611,686,018,427,387,904 minor units"):
        require_summable(np.array([2**62, -(2**62)], "int64"))
    with pytest.raises(DataError):
        require_summable(np.array([-(2**63)], "int64"))
