"""How Kinetic spells an account and an amount. Segments in physical order joined with "|", trailing empty ones left out [S SNO; C GLC2]."""

from decimal import Decimal

SEPARATOR = "-"
"""Of the display form."""


def gl_account(*segments: str) -> str:
    """The internal id: "6100|110|MF", "1030", "1410||MF"."""
    return "|".join(segments).rstrip("|")


def display(*segments: str) -> str:
    """The form that people read: "6100-110-MF"."""
    return SEPARATOR.join(segments).rstrip(SEPARATOR)


def minor_to_decimal(minor: int) -> Decimal:
    """Cents as an amount with two places."""
    return Decimal(minor).scaleb(-2)
