"""What tests of plans in Kinetic share: a small plan, a desk over a real register, the emulator's own door, and a person at Kinetic's screen."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from mlc_pipelines.flows.clerk import Limits, PostingDesk
from mlc_pipelines.ledger.drafts import Approval, Destination, DraftLine, JournalDraft, package_hash
from mlc_pipelines.ledger.ports import PlanBooks
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.postings import Postings

PLAN = Destination("home-1", "https://kinetic.example", "IVM", "PLAN")
LINES = (
    DraftLine("6010", "310|", 150_000, 0, "Rent"),
    DraftLine("6110", "310|MF", 5_005, 0, "Travel"),
    DraftLine("3990", "|", 0, 155_005, "Offset"),
)
DRAFT = JournalDraft(PLAN, "Budget", "1", "FY2027-P03", 1, "USD", LINES, "Budget FY2027")
APPLIED = {"kind": "reset", "after": True}
LOST = {"kind": "reset"}
WRITES = (
    "/Update",
    "/PostGroupJournals",
    "/UnlockGroup",
    "/DeleteByID",
    "/SubmitToAgent",
    "/RunDirect",
    "/DeleteBudget",
)
GROUP_UPDATE, ENTRY_UPDATE = r"POST .*GLJrnGrpSvc/Update", r"POST .*GLJournalEntrySvc/Update"
POSTING = r"POST .*/PostGroupJournals"


def approved(*drafts: JournalDraft) -> Approval:
    return Approval("r.diaz", "2026-10-01T09:00:00.000+00:00", package_hash(drafts), "cell Approved of Budget")


@dataclass
class Clock:
    """Seconds that pass by waiting alone."""

    at: float = 0.0
    waited: list[float] = field(default_factory=list)
    meanwhile: Callable[[], Any] = int

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += seconds
        self.meanwhile()


def desk_of(books: PlanBooks, register: Postings, clock: Clock, **other: Any) -> PostingDesk:
    given = {"require_fence": lambda: None, "limits": Limits(), **other}
    return PostingDesk(books, register, now=clock.now, sleep=clock.sleep, **given)


@dataclass
class Door:
    """The tests' own door to the emulator's books, and what went over its wire."""

    sandbox: Sandbox

    def _call(self, method: str, path: str, **more: Any) -> Any:
        with httpx.Client(verify=False, trust_env=False) as http:
            answer = http.request(method, f"{self.sandbox.url}/control/epicor/{path}", **more)
        assert 200 == answer.status_code, answer.text
        return answer.json()

    def get(self, path: str, **params: Any) -> Any:
        return self._call("GET", path, params=params)

    def post(self, path: str, **body: Any) -> Any:
        return self._call("POST", path, json=body)

    def switch(self, **changes: Any) -> None:
        self.sandbox.set_switches(epicor=changes)

    def plant(self, match: str, action: dict[str, Any], **more: Any) -> Any:
        return self.sandbox.traffic.plant({"match": match, "action": action, **more})

    def wait_for_late_ones(self) -> None:
        """Until every request that was held back has taken effect, whoever has gone meanwhile."""
        for _ in range(500):
            if all(one.status is not None for one in self.sandbox.traffic.requests if one.fault == "delay"):
                return
            time.sleep(0.02)
        raise AssertionError("a request that was held back never came")

    @property
    def writes(self) -> list[str]:
        """The methods that may have changed something, as they came."""
        paths = [one.path for one in self.sandbox.traffic.requests if one.method != "GET"]
        return [path.rpartition("/odata/IVM/")[2] for path in paths if path.endswith(WRITES)]

    @property
    def digest(self) -> str:
        """Of the trial balance of the main book."""
        found: str = self.get("digest", book="MAIN")["books"]["IVM/MAIN"]
        return found

    def journals(self, reference: str = "MLC-", state: str = "") -> list[dict[str, Any]]:
        """Those in the plan book whose comment has the reference in it."""
        found = self.get("journals", book="PLAN")["journals"]
        return [
            one
            for one in found
            if any(reference in line for line in (one["comment"], *(line["comment"] for line in one["lines"])))
            and state in ("", one["state"])
        ]

    @property
    def groups(self) -> list[str]:
        """The groups of the plan book."""
        return [one["group"] for one in self.get("groups")["groups"] if one["book"] == "PLAN"]

    def require_one(self, draft: JournalDraft = DRAFT) -> None:
        """Exactly one posted journal with exactly the approved lines, and nothing left in entry."""
        posted = self.journals(draft.reference, "posted")
        lines = [
            [
                (one["account"], one["dept"], one["plant"], one["debit_minor"], one["credit_minor"])
                for one in sorted_(journal)
            ]
            for journal in posted
        ]
        meant = sorted(
            (line.account, *line.subaccount.split("|"), line.debit_minor, line.credit_minor) for line in draft.lines
        )
        assert [meant] == lines
        assert [] == self.journals(state="entry")


def sorted_(journal: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(journal["lines"], key=lambda one: (one["account"], one["dept"], one["plant"]))


@dataclass
class Person:
    """Somebody at Kinetic's own screen: the same methods, another hand."""

    sandbox: Sandbox

    def call(self, path: str, **given: Any) -> Any:
        erp = self.sandbox.info["epicor"]
        url = f"{erp['url']}/api/v2/odata/IVM/{path}"
        headers = {"x-api-key": erp["api_key"], "Accept": "application/json"}
        with httpx.Client(verify=False, trust_env=False) as http:
            answer = http.post(url, json=given, headers=headers, auth=(erp["username"], erp["password"]))
        assert 200 == answer.status_code, answer.text
        return answer.json()

    def entry(self, group: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("Erp.BO.GLJournalEntrySvc/GetByGroupID", GroupID=group)["returnObj"]
        return found

    def change(self, group: str, table: str, at: int, **values: Any) -> None:
        """Change one row of what is in entry."""
        ds = self.entry(group)
        ds[table][at] |= {**values, "RowMod": "U"}
        self.call("Erp.BO.GLJournalEntrySvc/Update", ds=ds)

    def add_line(self, group: str, account: str, **values: Any) -> None:
        ds = self.entry(group)
        head = ds["GLJrnHed"][0]
        key = {"bookID": head["BookID"], "fiscalYear": head["FiscalYear"], "fiscalYearSuffix": head["FiscalYearSuffix"]}
        key |= {"journalCode": head["JournalCode"], "journalNum": head["JournalNum"], "journalLine": 0}
        ds = self.call("Erp.BO.GLJournalEntrySvc/GetNewGLJrnDtlMnl", ds=ds, **key)["parameters"]["ds"]
        ds["GLJrnDtlMnl"][-1] |= {"GLAccount": account, **values}
        self.call("Erp.BO.GLJournalEntrySvc/Update", ds=ds)

    def empty_group(self, code: str, book: str = "PLAN") -> None:
        """A group without a journal."""
        ds = self.call("Erp.BO.GLJrnGrpSvc/GetNewGLJrnGrp", ds={"GLJrnGrp": []})["parameters"]["ds"]
        ds["GLJrnGrp"][-1] |= {"GroupID": code, "JournalCode": "GJ"}
        for method, said in (("ChangeEntryMode", {"proposedBookMode": "S"}), ("ChangeBookID", {"proposeBookID": book})):
            ds = self.call(f"Erp.BO.GLJrnGrpSvc/{method}", ds=ds, **said)["parameters"]["ds"]
        day = {"cGroupID": code, "cJEDate": "2026-12-01"}
        ds = self.call("Erp.BO.GLJrnGrpSvc/CheckFiscalYear", ds=ds, **day)["parameters"]["ds"]
        self.call("Erp.BO.GLJrnGrpSvc/Update", ds=ds)

    def group(self, code: str, comment: str = "", book: str = "PLAN") -> None:
        """A group with a journal of theirs without lines."""
        self.empty_group(code, book)
        ds = self.call("Erp.BO.GLJournalEntrySvc/GetNewGlJrnHedTran", ds={}, GroupID=code)["parameters"]["ds"]
        ds["GLJrnHed"][-1] |= {"Description": "Theirs", "CommentText": comment}
        self.call("Erp.BO.GLJournalEntrySvc/Update", ds=ds)
