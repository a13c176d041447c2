"""What the ERP and the connection must agree on before figures are read: clocks, fiscal periods, balances."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from mlc_pipelines.flows.premises import Premises
from mlc_pipelines.ledger.fiscal import FiscalPeriod, from_iso, split_key
from mlc_pipelines.ledger.fit import (
    BOTH,
    CONTROLLER,
    ENGINEER,
    ERP,
    ERP_ADMINISTRATOR,
    Check,
    Found,
    beware,
    fine,
    missing,
)
from mlc_pipelines.ledger.ports import LedgerPeriod

_SKEW_SECONDS_MAX = 120.0  # a certificate's log-in is good for some minutes by Anaplan's clock
OPEN = "Open"
_SHOWN = 5


def ledger_checks(premises: Premises) -> list[Check]:
    calendar = ("set_up.calendar", *premises.needs("periods"))
    agreed = (*calendar, "erp.calendar")
    return [
        Check("clocks", "Clocks", BOTH, ENGINEER, partial(_clocks, premises)),
        Check("erp.calendar", "Fiscal calendar", ERP, ENGINEER, partial(_calendar, premises), calendar),
        Check("erp.open", "Open periods", ERP, CONTROLLER, partial(_open, premises), agreed),
        Check(
            "erp.balances",
            "Trial balance",
            ERP,
            ERP_ADMINISTRATOR,
            partial(_balances, premises),
            (*agreed, "erp.open", *premises.needs("balances")),
        ),
    ]


def _clocks(premises: Premises) -> Iterator[Found]:
    """Each system's clock against this machine's. Where only the ERP's is off, its administrator mends it; else it is ours."""
    told = {premises.erp: premises.ledger, "Anaplan": premises.plan}
    ahead = {
        name: (said - premises.now()).total_seconds() for name, one in told.items() if one and (said := one.clock())
    }
    off = {name: seconds for name, seconds in ahead.items() if abs(seconds) > _SKEW_SECONDS_MAX}
    if not off:
        listed = ", ".join(f"{name} {seconds:+.0f} s" for name, seconds in ahead.items())
        yield fine(f"Against this machine: {listed}." if listed else "No system told its time.")
        return
    whose = ERP_ADMINISTRATOR if set(off) == {premises.erp} and "Anaplan" in ahead else ENGINEER
    listed = ", ".join(
        f"{name} is {_span(seconds)} {'ahead of' if seconds > 0 else 'behind'} this machine"
        for name, seconds in off.items()
    )
    remedy = "the ERP's server" if whose == ERP_ADMINISTRATOR else "this machine"
    yield missing(f"The clocks differ: {listed}.", f"Have the clock of {remedy} set by a time server.", whose)


def _span(seconds: float) -> str:
    return str(timedelta(seconds=round(abs(seconds))))


def _calendar(premises: Premises) -> Iterator[Found]:
    """In the fiscal years that both have, every period is there on both sides, with the same days."""
    ours = {one.key: one for one in premises.the_calendar.periods}
    books = premises.the_ledger.identities()
    for one in books:
        whose = f" of {one.company}" if len(books) > 1 else ""
        theirs = {period.key: period for period in premises.the_ledger.read_periods(one.company)}
        years = {_year(key) for key in theirs} & {_year(key) for key in ours}
        if not years:
            yield missing(
                f"The ERP's calendar{whose} has no fiscal year of the connection: {_range(list(theirs))} there, {_range(list(ours))} here.",
                "Correct `calendar` in the connection file.",
            )
            continue
        if wrong := _differences(ours, theirs, years):
            more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
            yield missing(
                f"{len(wrong)} periods{whose} differ: {'; '.join(wrong[:_SHOWN])}{more}.",
                "Correct `calendar` in the connection file, or take the periods from the ERP with `mlc calendar sync`.",
            )
            continue
        yield fine(f"{', '.join(sorted(years))}{whose}: the same periods with the same days.")


def _differences(ours: dict[str, FiscalPeriod], theirs: dict[str, LedgerPeriod], years: set[str]) -> list[str]:
    wrong = []
    for key in sorted(key for key in {*ours, *theirs} if _year(key) in years):
        if key not in theirs:
            wrong.append(f"{key} does not exist in the ERP")
        elif key not in ours:
            wrong.append(f"{key} of the ERP is not in the connection's calendar")
        else:
            here, there = ours[key], theirs[key]
            days = (here.start_on.isoformat(), here.end_on.isoformat())
            if days != (there.start_on, there.end_on):
                wrong.append(
                    f"{key} is {there.start_on} to {there.end_on} in the ERP, {days[0]} to {days[1]} in the connection"
                )
    return wrong


def _year(key: str) -> str:
    year, suffix, _ = split_key(key)
    return f"FY{year}{suffix}"


def _range(keys: Sequence[str]) -> str:
    return f"{keys[0]} to {keys[-1]}" if keys else "no periods"


def _open(premises: Premises) -> Iterator[Found]:
    """Some period holds postings, and some is still open: figures of closed ones can be loaded, but only once."""
    for one in premises.the_ledger.identities():
        periods = [period for period in premises.the_ledger.read_periods(one.company) if _known(premises, period)]
        readable = [period.key for period in periods if period.readable]
        opened = [period.key for period in periods if period.readable and period.status == OPEN]
        if not readable:
            yield missing(f"No period of {one.company} holds postings yet.", "Have the first period opened in the ERP.")
        elif not opened:
            yield beware(
                f"No period of {one.company} is open ({_range(readable)} are closed): nothing new can be posted, and no period is loaded while it runs.",
                "Have the current period opened in the ERP.",
            )
        else:
            yield fine(f"{one.company}: {_range(readable)} can be loaded; open are {', '.join(opened)}.")


def _known(premises: Premises, period: LedgerPeriod) -> bool:
    return period.key in premises.the_calendar.keys


def _balances(premises: Premises) -> Iterator[Found]:
    """The ERP's own balances, which prove every load, of the newest period that holds postings."""
    for one in premises.the_ledger.identities():
        periods = premises.the_ledger.read_periods(one.company)
        last = [period for period in periods if period.readable and not period.adjustment and _known(premises, period)]
        if not last:
            continue
        period = from_iso(last[-1].key, last[-1].start_on, last[-1].end_on)
        rows = premises.the_ledger.read_trial_balance(period, one.company)
        yield fine(f"{one.company}, {period.key}: {len(rows):,} accounts can be read.")
