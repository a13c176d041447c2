"""For every code without a member: the members it may belong to, with the money at stake. A person decides, and another one agrees."""

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import read_frame
from mlc_pipelines.flows.reference import rules_of
from mlc_pipelines.flows.report import Report, money_table
from mlc_pipelines.flows.steps import CHART, MEMBER_MAP, MEMBERS
from mlc_pipelines.ledger.mapping import ACCOUNT, MemberRule
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.suggest import SUGGESTED, suggest

_PERIODS = 12
"""So many of the newest periods that were read tell what is at stake."""


def suggest_members(desk: Desk, *, count: int = 3) -> Report:
    """Suggestions for the codes that the newest member map has no member for, the most money first. Nothing is changed."""
    held = desk.store.history
    pairs = read_frame(desk, held.require_step(desk.connection, MEMBER_MAP))
    members = read_frame(desk, held.require_step(desk.connection, MEMBERS))
    currency, stakes, periods = _stakes(desk)
    parts = [
        suggestions(desk, step, rule, pairs, members[members["list"] == rule.list_name], count)
        for step, rule in rules_of(desk).items()
    ]
    found = pd.concat(parts, ignore_index=True)
    at_stake = [
        stakes.get(code, 0) if dimension == ACCOUNT else 0
        for dimension, code in zip(found["dimension"], found["code"], strict=True)
    ]
    found = found.assign(at_stake_minor=at_stake).sort_values(
        ["at_stake_minor", "dimension", "code", "rank"], ascending=[False, True, True, True], ignore_index=True
    )
    codes = found.drop_duplicates(["dimension", "code"])
    lacking = int((pairs["problem"] != "").sum())
    return Report(
        "suggestions",
        "",
        f"{lacking} codes have no member; {len(codes)} of them have suggestions. Money from the {periods} newest periods that were read.",
        "",
        counts={"codes without a member": lacking, "codes with suggestions": len(codes)},
        amounts={"at stake": Money(int(codes["at_stake_minor"].sum()), currency)},
        tables={"Suggestions": money_table(found, currency)},
    )


def suggestions(
    desk: Desk, step: str, rule: MemberRule, pairs: pd.DataFrame, members: pd.DataFrame, count: int = 3
) -> pd.DataFrame:
    """For one kind of codes: SUGGESTED."""
    of_rule = pairs[pairs["dimension"] == rule.dimension]
    lacking, mapped = of_rule[(of_rule["problem"] != "") & (of_rule["code"] != "")], of_rule[of_rule["problem"] == ""]
    lacking = lacking.drop_duplicates("code")
    if lacking.empty:
        return pd.DataFrame(columns=SUGGESTED)
    codes = read_frame(desk, desk.store.history.require_step(desk.connection, step))
    family = dict(zip(codes["code"], codes["account_class"], strict=True)) if step == CHART else {}
    lacking, mapped = (one.assign(family=one["code"].map(family).fillna("")) for one in (lacking, mapped))
    return suggest(lacking, mapped, members, rule, count=count)


def _stakes(desk: Desk) -> tuple[str, dict[str, int], int]:
    """Currency, sum of debits and credits by account over the newest periods that were read, and how many periods those are."""
    stakes: dict[str, int] = {}
    found = [desk.store.history.latest_step(desk.connection, desk.feed.extract, key) for key in desk.calendar.keys]
    steps = [step for step in found if step is not None][-_PERIODS:]
    for step in steps:
        amounts = read_frame(desk, step)
        moved = (amounts["debit_minor"] + amounts["credit_minor"]).groupby(amounts["account"]).sum()
        for account, minor in moved.items():
            stakes[str(account)] = stakes.get(str(account), 0) + int(minor)
    currency = str(steps[-1].facts["currency"]) if steps else desk.ledger.identity().currency
    return currency, stakes, len(steps)
