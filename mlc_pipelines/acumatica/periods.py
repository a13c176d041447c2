"""Fiscal periods as the site spells them: the period's number in its financial year, then the year, "032026".

Read as MMYYYY and MM-YYYY, both seen; anything else is refused, above all YYYYMM, which reports and custom inquiries
use and which looks alike [S Help-and-Training-Examples; C grp-mcp KNOWLEDGE.md]. Years are 1950 to 2099
and a year has at most 18 periods, so no text can be read both ways.
"""

import re

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod, period_key, split_key

_SPELLING = re.compile(r"(0[1-9]|1[0-8])-?((?:19[5-9]|20\d)\d)")


def spelled(period: FiscalPeriod) -> str:
    """As the site takes it in parameters and filters, "032026"."""
    return f"{period.number:02d}{period.year:04d}"


def spelled_key(key: str) -> str:
    """The same for the key of one of the site's own periods."""
    year, _, number = split_key(key)
    return f"{number:02d}{year:04d}"


def spellings(period: FiscalPeriod) -> tuple[str, str]:
    """Both ways a stored period may be shown, for filters that compare with the shown text."""
    return spelled(period), f"{period.number:02d}-{period.year:04d}"


def to_key(text: str | None, where: str) -> str:
    """The key of a period the site wrote. Raises DataError, naming the record and the text, for any other spelling."""
    if not (match := _SPELLING.fullmatch(text or "")):
        raise DataError(
            f"{where} has the period {text!r}, which is neither MMYYYY nor MM-YYYY.",
            holds="Nothing was loaded.",
            next_step="Ask the Acumatica administrator which form or inquiry shows periods in another way.",
        )
    return period_key(int(match[2]), int(match[1]))
