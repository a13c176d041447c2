"""The sign-off of a period: given when every leg agreed, suspended when the ERP changes afterwards, given anew by the next load that agrees.

    provisional   every leg agreed while the ERP still had the period open
    final         every leg agreed, and the ERP had closed the period
    suspended     it was final, and the ERP has changed the period since, or opened it again
    in doubt      a later load was refused or cut off: nobody knows what the plan holds
    as then       the plan holds kept figures of an earlier load; the ERP was not asked, so they are signed off by nobody
    none          nothing has agreed yet

What was agreed once stays in the history, with its fingerprint: totals, number of lines, newest change. What it is held against is kept as a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from mlc_pipelines.flows.as_then import LOADED_AS_THEN, have_read_again, marks, told
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.report import Notice
from mlc_pipelines.flows.steps import ACTUALS, JOURNALS, SIGN_OFF
from mlc_pipelines.flows.watch import BATCHES, CLOSED, CLOSED_IN_ERP, STATUS, Look, Waiting, look, touched
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.store import standings
from mlc_pipelines.store.history import AGREED, Step
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.standings import Standing

NONE, PROVISIONAL, FINAL, SUSPENDED, IN_DOUBT, AS_THEN = (
    "none",
    "provisional",
    "final",
    "suspended",
    "in doubt",
    "as then",
)
_AGREEMENTS = {standings.PROVISIONAL: PROVISIONAL, standings.FINAL: FINAL}
_FINGERPRINT = (
    "lines",
    "debit_minor",
    "credit_minor",
    "currency",
    "erp_status",
    "extract",
    "counted",
    "read_at",
    "begun_at",
)
_WHY = {
    BATCHES: "Journals were posted or changed in the ERP after it was agreed.",
    STATUS: "Opened again in the ERP.",
    LOADED_AS_THEN: "Kept figures of an earlier load were put into the plan.",
}
_TOLD_BY_ERP = "The ERP told of a change after it was agreed."
_TO_COME = "What differs is still to be read."


@dataclass(frozen=True, slots=True)
class SignOff:
    """How a period stands. said: why, as a sentence for people. agreed: the agreement that counts, or counted. since: all that became of the period after it."""

    period: str
    state: str
    said: str
    agreed: Standing | None = None
    since: tuple[Standing, ...] = ()

    @property
    def considered(self) -> int:
        """Number of the newest notice of a change that the sign-off was suspended for since the agreement."""
        return max((one.notice for one in self.since), default=0)

    @property
    def _last(self) -> Standing | None:
        """What was found last: suspended or confirmed."""
        found = [one for one in self.since if one.state in {standings.SUSPENDED, standings.CONFIRMED}]
        return found[-1] if found else None

    @property
    def suspended(self) -> Standing | None:
        """The newest word on its suspension; None where it is not suspended."""
        return self._last if self._last and self._last.state == standings.SUSPENDED else None

    @property
    def suspended_at(self) -> str:
        """When it was suspended first since it was agreed."""
        return next((one.at for one in self.since if one.state == standings.SUSPENDED), "")

    @property
    def was_final(self) -> bool:
        """Whether the plan holds, or held until the ERP or kept figures came in between, what was agreed of a closed period."""
        agreed_closed = self.agreed is not None and self.agreed.state == standings.FINAL
        return agreed_closed and self.state in {FINAL, SUSPENDED, AS_THEN}

    @property
    def reopened(self) -> bool:
        """Whether the ERP has opened it again since it was agreed."""
        return any(one.state == standings.REOPENED for one in self.since)

    @property
    def compared(self) -> bool:
        """Whether the newest word tells what differs, and not only that something was touched."""
        return self._last is not None and "compared" in self._last.reading

    def __str__(self) -> str:
        return f"{self.state}: {self.said}" if self.said else self.state


def sign(desk: Desk, key: str, load: int, reading: Step) -> None:
    """Write down what agrees, before the load is written down as agreed: it counts only once that is done as well. Of actuals only, which the watch is over.

    Kept figures of an earlier load are written down as what they are, and the period waits to be read again: nobody knows whether they are still the ERP's.
    """
    if desk.feed != ACTUALS:
        return
    facts = reading.facts
    fingerprint = {name: facts[name] for name in _FINGERPRINT if name in facts}
    fingerprint["modified_until"] = _newest_change(desk, fingerprint)
    state, note = standings.FINAL if closed_in_erp(facts) else standings.PROVISIONAL, _told_of(fingerprint)
    if marks(facts):
        have_read_again(desk, key, load)
        state, note = standings.AS_THEN, f"{told(reading)} As it was read: {note}."
    desk.store.standings(desk.connection).keep(key, state, note, load=load, reading=fingerprint, run=desk.run)


def signed(desk: Desk, key: str) -> tuple[Notice, ...]:
    """How the period stands, to be shown beside its load."""
    if desk.feed != ACTUALS:
        return ()
    held = sign_off(desk.store, desk.connection, key)
    said = f"{key} is {str(held).removesuffix('.')}."
    return (Notice(SIGN_OFF, said, pd.DataFrame(), serious=held.state not in {PROVISIONAL, FINAL}),)


def closed_in_erp(facts: Mapping[str, Any]) -> bool:
    """Whether the ERP, in every company, had closed the period when it was read."""
    statuses = {part.rpartition(" ")[2] for part in str(facts.get("erp_status", "")).split(", ")}
    return statuses <= CLOSED


def _newest_change(desk: Desk, fingerprint: Mapping[str, Any]) -> str:
    """The greatest modified mark of the lines; "" for balances, which have none."""
    if fingerprint.get("counted") != JOURNALS:
        return ""
    with pq.ParquetFile(desk.store.artefacts.path(str(fingerprint["extract"]))) as file:
        groups = (file.read_row_group(number, columns=["modified_at"]) for number in range(file.num_row_groups))
        return max((str(max(group["modified_at"].unique().to_pylist(), default="")) for group in groups), default="")


def _told_of(fingerprint: Mapping[str, Any]) -> str:
    debit, credit = (Money(int(fingerprint[name]), fingerprint["currency"]) for name in ("debit_minor", "credit_minor"))
    newest = str(fingerprint["modified_until"])[:19].replace("T", " ")
    changed = f", newest change {newest}" if newest else ""
    return f"{fingerprint['lines']:,} lines, debits {debit}, credits {credit}{changed}; {fingerprint['erp_status']} in the ERP"


def sign_off(store: Store, connection: str, period: str) -> SignOff:
    """How the period stands now. No call is made."""
    rows, attempts = store.standings(connection).of_period(period), store.history.loads(connection, period)
    agreements = {one.id for one in attempts if one.state == AGREED}
    signed = [one for one in rows if one.state in _AGREEMENTS and one.load in agreements]
    agreed = signed[-1] if signed else None
    since = tuple(one for one in rows if agreed and one.number > agreed.number and one.state not in _AGREEMENTS)
    kept = loaded_as_then(rows)
    if attempts and attempts[-1].id in agreements & kept.keys():
        return SignOff(period, AS_THEN, kept[attempts[-1].id].note, agreed, since)
    if agreed is None:
        return _never(period, loaded=bool(agreements), tried=bool(attempts))
    found = SignOff(period, _AGREEMENTS[agreed.state], agreed.note, agreed, since)
    if found.suspended:
        return SignOff(period, SUSPENDED, found.suspended.note, agreed, since)
    if attempts[-1].id != agreed.load:
        said = attempts[-1].note or "a load was cut off"
        return SignOff(period, IN_DOUBT, said, agreed, since)
    return found


def loaded_as_then(rows: Sequence[Standing]) -> dict[int, Standing]:
    """The loads that brought kept figures of an earlier one, and that no reading of the ERP has agreed with since."""
    newest = {one.load: one for one in rows if one.load}
    return {load: one for load, one in newest.items() if one.state == standings.AS_THEN}


def _never(period: str, *, loaded: bool, tried: bool) -> SignOff:
    if loaded:
        return SignOff(period, NONE, "loaded before sign-offs were kept; load it once more")
    return SignOff(period, IN_DOUBT, "no load has agreed yet") if tried else SignOff(period, NONE, "")


def watch_over(desk: Desk) -> tuple[Look, list[Standing]]:
    """Look what changed in the ERP, and take back the sign-offs that it touches."""
    found = look(desk)
    return found, suspend(desk.store, desk.connection)


def suspend(store: Store, connection: str) -> list[Standing]:
    """Take back the sign-off of every final period that the ERP touched since it was agreed. No call is made; what exactly differs is told by `since_agreed.compare`."""
    kept = store.standings(connection)
    return [
        kept.keep(
            one.period, standings.SUSPENDED, f"{_WHY.get(one.reason, _TOLD_BY_ERP)} {_TO_COME}", notice=one.notice
        )
        for one, held in _touched(store, connection)
        if held.state in {FINAL, SUSPENDED} and held.considered < one.notice and one.reason != CLOSED_IN_ERP
    ]


def to_compare(store: Store, connection: str) -> list[str]:
    """Suspended periods of which nobody has told yet what differs. No call is made."""
    return [one.period for one, held in _touched(store, connection) if held.suspended and not held.compared]


def _touched(store: Store, connection: str) -> list[tuple[Waiting, SignOff]]:
    return [(one, sign_off(store, connection, one.period)) for one in touched(store, connection)]
