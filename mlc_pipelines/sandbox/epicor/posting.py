"""Posting of a group, at once or by a task; what cannot be posted stays, with its reason. Reference: epicor 6.2 E, 11.8.

PostGroupJournals answers 200 also when nothing was posted: NotAllPostedMessage says so, and PostErrorLog of the group why. "Out of Balance
transactions" and "Invalid Account" are documented [S SNO]; all other words are ours [I].
"""

from decimal import Decimal
from typing import Any

from mlc_pipelines.sandbox.epicor.accounts import Rules
from mlc_pipelines.sandbox.epicor.dataset import Row, parameter
from mlc_pipelines.sandbox.epicor.errors import RefusalError
from mlc_pipelines.sandbox.epicor.groups import GROUP, HEADER, Groups
from mlc_pipelines.sandbox.epicor.journals import Journals
from mlc_pipelines.sandbox.epicor.keeper import Answer, Given, Method
from mlc_pipelines.sandbox.epicor.reading import Call
from mlc_pipelines.sandbox.epicor.review import Review
from mlc_pipelines.sandbox.epicor.site import Kinetic
from mlc_pipelines.sandbox.ironvale import Line

UNBALANCED, INVALID = "Out of Balance transactions", "Invalid Account"
OTHER_USER = "kreyes"
"""Who takes the group when the switch `before_post` says that somebody does."""


class Posting:
    """What posts the groups of one instance."""

    def __init__(self, site: Kinetic, groups: Groups, journals: Journals, review: Review) -> None:
        """Of these groups and journals."""
        self._site, self._groups, self._journals, self._review = site, groups, journals, review

    @property
    def methods(self) -> dict[str, Method]:
        """Those of the group's business object."""
        return {
            "CheckBeforePost": self.check,
            "IsNeedAsyncronousPosting": self.is_asynchronous,
            "PostGroupJournals": self.post,
        }

    def check(self, call: Call, given: Given) -> Answer:
        """CheckBeforePost: raises for a group that somebody else holds, or review does."""
        self._groups.mine(self._groups.get(call.company, parameter(given, "groupID")))
        return {}

    def is_asynchronous(self, call: Call, given: Given) -> Answer:
        """Whether the group has more lines than are posted at once."""
        group = self._groups.get(call.company, parameter(given, "groupID"))
        most, kind = int(parameter(given, "maxCountOfLines")), self._site.switches["posting_async"]
        lines = sum(len(self._journals.lines(header)) for header in self._groups.inside(HEADER, group))
        return {"returnObj": lines > most if kind == "by lines" else kind == "always", "parameters": {}}

    def post(self, call: Call, given: Given) -> Answer:
        """Post what can be posted of a group; a message when that is not all."""
        message = self.carry_out(call.company, str(parameter(given, "postGroupID")))
        return {"parameters": {"NotAllPostedMessage": message}}

    def carry_out(self, company: str, group_id: str) -> str:
        """The same: the message. Raises 404 for no such group, 400 for one that somebody else or review holds."""
        self._interfere(self._groups.get(company, group_id))
        group = self._groups.mine(self._groups.get(company, group_id))
        headers = self._groups.inside(HEADER, group)
        if not headers:
            return f"There are no journals to post in group {group['GroupID']}."
        wrong = {header["JournalNum"]: self._wrong(company, header) for header in headers}
        kind = self._site.switches["review"]
        if kind == "always" or (kind == "errors" and any(wrong.values())):
            reasons = [text for text in wrong.values() if text]
            uid = self._review.park(group, headers, reasons)
            return f"Group {group['GroupID']} was sent to review, journal {uid}."
        for header in headers:
            if not wrong[header["JournalNum"]]:
                self.enter(header)
        errors = [f"{text}: journal {number}" for number, text in wrong.items() if text]
        return self._finish(group, errors)

    def _finish(self, group: Row, errors: list[str]) -> str:
        if errors:
            log = "\n".join(errors)
            self._groups.put(GROUP, {**group, "PostErrorLog": log})
            return f"Not all journals of group {group['GroupID']} were posted. {log}"
        if self._site.switches["posted_group"] == "flagged":
            self._groups.put(GROUP, {**group, "Posted": True, "HasDetails": False, "PostErrorLog": ""})
        else:
            self._site.books.drop(GROUP, (group["Company"], group["GroupID"]))
        return ""

    def _interfere(self, group: Row) -> None:
        """What the switch lets happen just before, once."""
        kind = self._site.switches["before_post"]
        if kind == "period closes":
            period = Rules(self._site, group["Company"]).period(group)
            self._site.books.close(period.key, group["BookID"], group["Company"])
        elif kind == "group taken":
            self._groups.put(GROUP, {**group, "ActiveUserID": OTHER_USER})
        self._site.switches["before_post"] = "nothing"

    def _wrong(self, company: str, header: Row) -> str:
        """Why a journal cannot be posted; empty when it can."""
        rules = Rules(self._site, company)
        lines = self._journals.lines(header)
        if not lines:
            return "The journal has no lines"
        if header["Balance"] and not header["AllowUnbalancedEntries"]:
            return UNBALANCED
        if any(rules.wrong_account(rules.segments(line), line["JEDate"]) for line in lines):
            return INVALID
        try:
            rules.require_open(header)
        except RefusalError as refusal:
            return refusal.text.rstrip(".")
        return ""

    def enter(self, header: Row) -> None:
        """Bring a journal from entry into the ledger: under its number, or the next one if that has been used meanwhile [I]."""
        books, period = self._site.books, Rules(self._site, header["Company"]).period(header)
        used = books.last_number(header["Company"], header["BookID"], period.year_key, header["JournalCode"])
        books.post(
            header["BookID"],
            period.key,
            [self._line(header, row) for row in self._journals.lines(header)],
            now=self._site.clock.now(),
            description=header["Description"],
            code=header["JournalCode"],
            number=header["JournalNum"] if header["JournalNum"] > used else 0,
            day=header["JEDate"],
            company=header["Company"],
            unbalanced=True,
            user=self._site.username,
            comment=header["CommentText"],
            group=header["GroupID"],
        )
        self._groups.remove_header(header)

    def _line(self, header: Row, row: Row) -> Line:
        text, comment = (row[name] if row[name] != header[name] else "" for name in ("Description", "CommentText"))
        units = row["DebitStatAmt"] - row["CreditStatAmt"]
        coding = (row["SegValue1"], row["SegValue2"], row["SegValue3"])
        debit, credit = _minor(row["TotDebit"]), _minor(row["TotCredit"])
        return Line(*coding, debit, credit, text, units=_minor(units), comment=comment)


def _minor(amount: Any) -> int:
    return int((Decimal(amount) * 100).to_integral_value())
