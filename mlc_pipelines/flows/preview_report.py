"""A preview as people read it: what an approved plan would write, beside what the ERP holds."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mlc_pipelines.flows.report import Notice, Report, money_table
from mlc_pipelines.flows.route import PlanRoute
from mlc_pipelines.flows.steps import DESTINATION_ALLOWED
from mlc_pipelines.ledger.control import Leg
from mlc_pipelines.ledger.drafts import JournalDraft
from mlc_pipelines.ledger.figures import figures_of, minus, natural
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.plans import MappedBack
from mlc_pipelines.ledger.ports import LedgerIdentity


@dataclass(frozen=True)
class PreviewShown:
    """What would be written, in natural sign, by account and by period, beside what the ERP holds now. who: prepared it."""

    connection: str
    who: str
    route: PlanRoute
    year: str
    figures: pd.DataFrame
    drafts: Sequence[JournalDraft]
    held: pd.DataFrame
    chart: pd.DataFrame
    books: LedgerIdentity

    @property
    def currency(self) -> str:
        return self.books.currency

    def report(
        self, artefact: str, package: str, mapped: MappedBack, legs: tuple[Leg, ...], *, posted_before: int
    ) -> Report:
        change = minus(self.figures, self.held) if self.route.table is not None else figures_of(self.drafts)
        texts = {
            "content to approve": package or "nothing",
            "destination": f"{self.books.ledger} ({self.books.ledger_type}) of {self.books.company}",
            "prepared by": self.who,
            "to approve it": f"mlc budget approve {self.connection} {self.year} {package[:16]}{self.route.option}"
            if package
            else "nothing",
        }
        return Report(
            self.route.steps.preview,
            self.year,
            self._summary(package, posted_before),
            artefact,
            counts={
                "journals": len(self.drafts),
                "lines": sum(len(draft.lines) for draft in self.drafts),
                "figures approved": len(self.figures),
                "figures rounded into the last period": len(mapped.residues),
                "blank figures left as they are": len(mapped.untouched),
            },
            amounts={
                "debits to be written": self._money(self.drafts, "debit"),
                "credits to be written": self._money(self.drafts, "credit"),
            },
            texts=texts,
            tables={
                "By account": self._table(["account", "name"], change),
                "By period": self._table(["period", "kind"], change),
                "Journals": self._journals(),
                "Not open now": self._not_open(),
                "Rounded into the last period": self._residues(mapped),
            },
            legs=legs,
            notices=(Notice(DESTINATION_ALLOWED, f"{texts['destination']} takes plans.", pd.DataFrame()),),
        )

    def _summary(self, package: str, posted_before: int) -> str:
        plan, what = self.route.plan_of(self.year), self.route.unit
        if not self.drafts:
            before = f"already posted in {posted_before} {what}" if posted_before else "there is nothing to post"
            return f"{plan}: {self.books.ledger} holds the approved figures; {before}."
        lines = sum(len(draft.lines) for draft in self.drafts)
        return (
            f"{plan}: {len(self.drafts)} {what} with {lines:,} lines would be written into {self.books.ledger} of {self.books.company}. "
            f"Content {package[:16]} waits for approval."
        )

    def _money(self, drafts: Sequence[JournalDraft], side: str) -> Money:
        return Money(sum(getattr(draft, side).minor for draft in drafts), self.currency)

    def _table(self, keys: list[str], change: pd.DataFrame) -> pd.DataFrame:
        """Approved, held by the ERP and to be written, one row per account, or per period and kind of account, in the accounts' natural sign."""
        columns = {"approved_minor": self.figures, "held by the ERP_minor": self.held, "to be written_minor": change}
        sums = {title: self._described(rows).groupby(keys)["amount_minor"].sum() for title, rows in columns.items()}
        table: pd.DataFrame = pd.DataFrame(sums).fillna(0).astype("int64").sort_index().reset_index()
        return money_table(table, self.currency)

    def _described(self, figures: pd.DataFrame) -> pd.DataFrame:
        """Figures with name and kind of their accounts, in natural sign."""
        named = self.chart.set_index("code")[["name", "kind"]].reindex(figures["account"]).fillna("")
        amounts = natural(figures["amount_minor"].to_numpy("int64"), named["kind"].tolist())
        return figures.assign(name=named["name"].tolist(), kind=named["kind"].tolist(), amount_minor=amounts)

    def _journals(self) -> pd.DataFrame:
        rows = [
            {
                "period": draft.period,
                "reference": draft.reference,
                "what": draft.description,
                "lines": len(draft.lines),
                "debit": f"{draft.debit.decimal:,}",
                "credit": f"{draft.credit.decimal:,}",
            }
            for draft in self.drafts
        ]
        return pd.DataFrame(rows)

    def _not_open(self) -> pd.DataFrame:
        """Periods that take no posting now: their journals would wait."""
        closed = self.route.books.not_open(sorted({draft.period for draft in self.drafts}))
        return pd.DataFrame(sorted(closed.items()), columns=["period", "why"])

    def _residues(self, mapped: MappedBack) -> pd.DataFrame:
        rows = [(one.account, one.subaccount, one.period, one.minor) for one in mapped.residues]
        return money_table(
            pd.DataFrame(rows, columns=["account", "subaccount", "period", "moved_minor"]), self.currency
        )
