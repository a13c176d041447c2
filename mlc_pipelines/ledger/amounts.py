"""Exact amount texts to whole minor units, a column at a time. No digit is rounded, no float is passed through."""

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.money import minor_digits, to_minor

_DIGITS_MAX = 18  # what surely fits 64 bits
_BETWEEN = b"\x1e"  # no JSON value holds a bare control character

Where = Callable[[int], str]
"""Names the record of a row, for messages: "GL GL000123, account 6100"."""


def minor_column(amounts: Sequence[msgspec.Raw], currency: str, field: str, where: Where) -> pa.Array:
    """A column of int64 minor units. Raises DataError, naming record, field and text, for an amount that is missing, is no
    number, is finer than the currency or has more than 18 digits.
    """
    if not amounts:
        return pa.array([], pa.int64())
    try:
        texts = pc.split_pattern(pa.array([_BETWEEN.join(amounts)], pa.string()), _BETWEEN.decode()).flatten()
        return minor_of(texts, currency)
    except pa.ArrowInvalid as error:
        raise _first_offence(amounts, currency, field, where) or DataError(
            f"{field} cannot be read as amounts of {currency}: {error}."
        ) from None


def minor_of(texts: pa.StringArray, currency: str) -> pa.Int64Array:
    """Minor units of exact amounts. Raises ArrowInvalid where minor_column says why."""
    return pa.array(_unscaled(texts.cast(pa.decimal128(_DIGITS_MAX, minor_digits(currency)))))


def _unscaled(exact: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The whole numbers behind decimals of at most 18 digits: the low halves of their 128 bits."""
    halves = np.frombuffer(exact.buffers()[1], np.int64)
    return halves[2 * exact.offset : 2 * (exact.offset + len(exact)) : 2].copy()


def _first_offence(amounts: Sequence[msgspec.Raw], currency: str, field: str, where: Where) -> DataError | None:
    """The first amount that is at fault, in words: slow, and only walked when the column was refused."""
    for row, raw in enumerate(amounts):
        text = bytes(raw).decode("utf-8", "replace")
        if complaint := _complaint(text, currency):
            return DataError(
                f"{where(row)}: {field} {complaint}",
                holds="Nothing was loaded.",
                next_step="Correct the record in the ERP, or ask its administrator why this figure is shown so.",
            )
    return None


def _complaint(text: str, currency: str) -> str:
    shown = text[:60] + ("..." if len(text) > 60 else "")
    if text in {"", "null"}:
        return "is missing."
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return f"is {shown}, which is no number."
    if len(amount.as_tuple().digits) > _DIGITS_MAX or abs(amount.adjusted()) > _DIGITS_MAX:
        return f"is {shown}, which has more digits than any ledger amount."
    try:
        minor = to_minor(amount, currency)
    except DataError as error:
        return f"is refused: {error.what}"
    return "" if abs(minor) < 10**_DIGITS_MAX else f"is {shown}, which is larger than any ledger amount."
