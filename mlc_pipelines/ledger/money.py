"""Money is a whole number of minor units (cents) with its currency beside it; Decimal stands only at the doors."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt

from mlc_pipelines.ledger.errors import DataError

# ISO 4217 minor units that are not two [S ISO 4217 list one].
_DIGITS = {"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3, "CLF": 4, "UYW": 4} | dict.fromkeys(
    (
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ),
    0,
)
LARGEST_MINOR = 2**63 - 1


def minor_digits(currency: str) -> int:
    """How many decimals an amount of this currency has: 2 for USD, 0 for JPY, 3 for KWD. "EUR/USD": currencies kept apart, of equally many."""
    return _DIGITS.get(currency.partition("/")[0], 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole minor units. Debit positive, credit negative, everywhere inside the house."""

    minor: int
    currency: str

    @classmethod
    def of(cls, text: str, currency: str) -> "Money":
        """An amount from its decimal text. Raises DataError for a text that is no number or is finer than the currency."""
        try:
            amount = Decimal(text)
        except InvalidOperation:
            raise DataError(f"{text!r} is not an amount of {currency}.") from None
        return cls(to_minor(amount, currency), currency)

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-minor_digits(self.currency))

    def __str__(self) -> str:
        return f"{self.decimal:,} {self.currency}"


def to_minor(amount: Decimal, currency: str) -> int:
    """Whole minor units of an exact amount. Raises DataError when it is finer than the currency, never rounds."""
    if not amount.is_finite():
        raise DataError(f"{amount} is not an amount of {currency}.")
    digits = minor_digits(currency)
    # The size comes first: an exponent of a million would overflow, and 28 digits are all that Decimal arithmetic keeps.
    if (amount and amount.adjusted() > 20) or abs(minor := int(amount.scaleb(digits))) > LARGEST_MINOR:
        raise DataError(f"{amount} {currency} is larger than any ledger amount this house can hold.")
    if Decimal(minor).scaleb(-digits) != amount:
        raise DataError(f"{amount} is finer than {currency} allows ({digits} decimals); it is not rounded.")
    return minor


def require_summable(amounts_minor: npt.NDArray[np.int64]) -> None:
    """Refuse a column whose 64-bit sum could wrap round without a word.

    Raises DataError when count x largest magnitude leaves the range of 64 bits. pandas and numpy sum int64 modulo 2**64
    in silence [measured: performance sheet 3].
    """
    if len(amounts_minor) == 0:
        return
    largest = max(int(amounts_minor.max()), -int(amounts_minor.min()))
    if largest * len(amounts_minor) > LARGEST_MINOR:
        raise DataError(
            f"{len(amounts_minor):,} amounts of up to {largest:,} minor units may exceed what can be summed exactly.",
            next_step="Load fewer lines at once, or check the largest amount: it is probably wrong.",
        )
