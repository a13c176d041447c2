"""Balances: what an account carries over into a period, moves in it, and carries on; and what one period hands to the next."""

from collections.abc import Mapping

import pandas as pd

FIGURES = ["opening_minor", "debit_minor", "credit_minor", "closing_minor"]
"""opening and closing with debits positive; debit and credit as turned over in the period. opening + debit - credit = closing."""

_OF_THE_YEAR = ("Income", "Expense")


def by_figure(balances: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The four figures of each row as four rows, so that a comparison sees each by itself: keys, figure, amount_minor."""
    parts = [
        balances[keys].assign(figure=figure.removesuffix("_minor"), amount_minor=balances[figure]) for figure in FIGURES
    ]
    return pd.concat(parts, ignore_index=True)


def carried_over(before: pd.DataFrame, opening: pd.DataFrame, kinds: Mapping[str, str] | None) -> pd.DataFrame:
    """What each account must begin with, by the closing of the period before: account, amount_minor.

    before, opening: balances per account. kinds: None within a year; at its start the kind of each account. Income and expense then begin
    at zero, and their result goes over to the one liability account that took exactly it (retained earnings). Where no single account did,
    it is given to none, and the comparison shows the difference.
    """
    closing = before.set_index("account")["closing_minor"]
    if kinds is not None:
        of_year = closing.index.map(kinds).isin(_OF_THE_YEAR)
        result, closing = int(closing[of_year].sum()), closing[~of_year]
        now = opening.set_index("account")["opening_minor"]
        # reindex with a fill value: arithmetic on different accounts would pass the amounts through floats.
        every = closing.index.union(now.index)
        closing, now = closing.reindex(every, fill_value=0), now.reindex(every, fill_value=0)
        takers = [account for account in every[now - closing == result] if kinds.get(account) == "Liability"]
        if result and len(takers) == 1:
            closing[takers[0]] += result
    return closing.rename("amount_minor").rename_axis("account").reset_index()
