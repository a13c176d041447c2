"""Any figure of an ERP as a decimal column that keeps every digit: amounts, quantities, rates."""

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation

import pyarrow as pa

from mlc_pipelines.ledger.errors import DataError

DECIMAL = pa.decimal128(28, 8)
"""Wide enough for amounts (4 digits behind the point), quantities (6) and exchange rates (8)."""

Refuse = Callable[[str, str, int], DataError]
"""Text, complaint and row of a figure that does not fit -> the error that names its record and field."""


def decimal_column(texts: Sequence[str | None], refuse: Refuse) -> pa.Array:
    """Figures by their texts. Raises what refuse makes of the first one that is no number, or would lose a digit."""
    try:
        return pa.array(texts, pa.string()).cast(DECIMAL)
    except pa.ArrowInvalid:
        return pa.array([_decimal(text, row, refuse) for row, text in enumerate(texts)], DECIMAL)


def _decimal(text: str | None, row: int, refuse: Refuse) -> Decimal | None:
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise refuse(text, "which is no number", row) from None
    if not number.is_finite() or number.adjusted() >= DECIMAL.precision - DECIMAL.scale:
        raise refuse(text, "which is larger than any figure of a ledger", row)
    _, digits, exponent = number.as_tuple()
    shown = "".join(map(str, digits)).rstrip("0")
    if shown and isinstance(exponent, int) and exponent + len(digits) - len(shown) < -DECIMAL.scale:
        raise refuse(text, f"which is finer than {DECIMAL.scale} digits behind the point", row)
    return number.quantize(Decimal(1).scaleb(-DECIMAL.scale)) if shown else Decimal(0)
