"""Fiscal periods as the site spells them. Reference: acumatica 4.

Shown as MMYYYY or MM-YYYY (a switch: only seen indirectly); both are taken on write [S Help-and-Training-Examples].
"""

import re

from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.company import Period

_SPELLING = re.compile(r"(\d{2})-?(\d{4})")


def shown(site: Site, period: Period) -> str:
    """The period as "032026", or as "03-2026" when the switch says so."""
    dash = "-" if site.switches["post_period_format"] == "MM-YYYY" else ""
    return f"{period.number:02d}{dash}{period.year}"


def refusing(site: Site, period: Period) -> str:
    """Why a period takes no postings; empty when it does."""
    statuses = {"Inactive", "Locked"} | (set() if site.switches["closed_accepts"] else {"Closed"})
    return f"The {period.id} financial period is {period.status.lower()}." if period.status in statuses else ""


def find(site: Site, text: str) -> Period | None:
    """The period that somebody wrote as "032026" or "03-2026"; None when there is none of that name."""
    match = _SPELLING.fullmatch(text.strip())
    return site.books.period_of_id(match[1] + match[2]) if match else None
