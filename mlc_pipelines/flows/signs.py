"""The declared signs, proved on one closed period before the first file is made: flipped signs look like good figures otherwise."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame, read_frame, read_kept_frame
from mlc_pipelines.flows.report import money_table
from mlc_pipelines.flows.steps import NOTHING_SENT, SIGN_PROOF, SIGNS_PROVED
from mlc_pipelines.flows.trail import record_step
from mlc_pipelines.ledger.control import Leg
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import from_iso
from mlc_pipelines.ledger.mapping import ACCOUNT
from mlc_pipelines.ledger.ports import CLOSED
from mlc_pipelines.ledger.signs import by_class, proof
from mlc_pipelines.store.history import Step


def proved_signs(desk: Desk, key: str, source: Step, member_map: pd.DataFrame) -> Leg:
    """The proof that stands for these signs and these books; made now where there is none.

    source: the period's figures as they were read. Raises DataError, naming the class, where a class would come out negative in the plan, and
    SetupError where the ERP has no closed period to prove it on.
    """
    profile = _profile(desk, source)
    held = desk.store.history.latest_step(desk.connection, SIGN_PROOF)
    if held and held.facts["profile"] == profile:
        return proof(SIGNS_PROVED, held.facts["proved_on"], read_frame(desk, held), held.facts["currency"])
    currency = source.facts["currency"]
    period, closing = _closed(desk, key, source)
    accounts = member_map[member_map["dimension"] == ACCOUNT]
    kinds = dict(zip(accounts["code"], accounts["kind"], strict=True))
    classes = _classes(closing, kinds, desk.target.accounts.signs)
    leg = proof(SIGNS_PROVED, period, classes, currency)
    _require_proved(desk, leg, classes, currency)
    facts = {"profile": profile, "proved_on": period, "currency": currency}
    record_step(desk, SIGN_PROOF, "", keep_frame(desk, classes), facts)
    desk.progress(f"signs proved on {period}")
    return leg


def _profile(desk: Desk, source: Step) -> dict[str, Any]:
    """What a proof is good for: these signs, in the books that were read."""
    return {"signs": dict(sorted(desk.target.accounts.signs.items())), "books": source.facts.get("books", "")}


def _closed(desk: Desk, key: str, source: Step) -> tuple[str, pd.DataFrame]:
    """A closed period and the ERP's balances at its end: the period itself, as it was read, or the newest one before it that is closed."""
    statuses = {one.rpartition(" ")[2] for one in str(source.facts["erp_status"]).split(", ")}
    if statuses <= CLOSED and "balances" in source.facts:
        return key, read_kept_frame(desk, source.facts["balances"])
    calendars = {one.company: desk.ledger.read_periods(one.company) for one in desk.ledger.identities()}
    closed = [{one.key for one in periods if one.status in CLOSED} for periods in calendars.values()]
    first = next(iter(calendars.values()))
    known = [one for one in first if one.key in set.intersection(*closed) and not one.adjustment]
    if not known:
        raise SetupError(
            f"The signs of {desk.connection} cannot be proved: the ERP has no closed period.",
            holds=NOTHING_SENT,
            next_step="Load after the first period was closed, or write why no proof is needed under `actuals.sign_proof.waived`.",
        )
    chosen = known[-1]
    period = from_iso(chosen.key, chosen.start_on, chosen.end_on)
    frames = [desk.ledger.read_trial_balance(period, company).assign(company=company) for company in calendars]
    return chosen.key, pd.concat(frames, ignore_index=True)


def _classes(closing: pd.DataFrame, kinds: Mapping[str, str], signs: Mapping[str, int]) -> pd.DataFrame:
    """Of each company by itself, where there are several: what stands wrong in one must not vanish in the sum."""
    names = closing["company"].unique()
    if len(names) == 1:
        return by_class(closing, kinds, signs)
    each = {name: by_class(closing[closing["company"] == name], kinds, signs) for name in names}
    told = [frame.assign(account_class=f"{name} " + frame["account_class"]) for name, frame in each.items()]
    return pd.concat(told, ignore_index=True)


def _require_proved(desk: Desk, leg: Leg, classes: pd.DataFrame, currency: str) -> None:
    if leg.agreed:
        return
    wrong = [
        _told(row, currency)
        for row in classes.to_dict("records")
        if row["account_class"] in set(leg.breaks["account_class"])
    ]
    error = DataError(
        f"The signs are not those of the books. At the end of {leg.period}, {'; '.join(wrong)}.",
        holds=NOTHING_SENT,
        next_step=f"Correct `actuals.signs` in the connection file of {desk.connection}. If a class really stands on its other side, say why under "
        "`actuals.sign_proof.waived`.",
    )
    error.leg, error.legs = SIGNS_PROVED, (leg,)
    error.evidence = {"Classes of account": money_table(classes, currency)}
    raise error


def _told(row: Mapping[Any, Any], currency: str) -> str:
    shown = money_table(pd.DataFrame([row]), currency).iloc[0]
    made = (
        f"{row['declared']} makes {shown['plan']} of it"
        if row["declared"] != "as in the ledger"
        else "which is not its side"
    )
    return f"{row['account_class']} stands with {shown['ledger']} {currency} ({row['side']}), and {made}"
