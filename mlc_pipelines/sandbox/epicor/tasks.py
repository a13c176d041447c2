"""Erp.Proc.GLJrnAsynchSvc: posting by a task, and the tasks that the agent works off. Reference: epicor 6.2 E 4.

A task is Active for so many looks at it as the switch says, then it is carried out: who submits and looks elsewhere finds the group unposted. An
empty maintProgram is a 400 [C KDV on a report service]. Which other columns the parameters have is ours [I].
"""

import uuid
from typing import Any

from mlc_pipelines.sandbox.epicor.dataset import business, parameter
from mlc_pipelines.sandbox.epicor.errors import RefusalError
from mlc_pipelines.sandbox.epicor.keeper import Answer, Given, Method
from mlc_pipelines.sandbox.epicor.posting import Posting
from mlc_pipelines.sandbox.epicor.reading import Call
from mlc_pipelines.sandbox.epicor.site import Kinetic

PARAMETERS = "GLJrnAsynchParam"
FRESH = {
    "GroupID": "",
    "BookMode": "",
    "ACTType": "",
    "TaskNote": "",
    "AgentID": "",
    "AgentSchedNum": 0,
    "AgentTaskNum": 0,
    "MaintProgram": "",
    "SysRowID": "00000000-0000-0000-0000-000000000000",
    "RowMod": "A",
}


class Tasks:
    """The tasks of one instance."""

    def __init__(self, site: Kinetic, posting: Posting) -> None:
        """They post."""
        self._site, self._posting = site, posting
        self._waiting: dict[int, tuple[str, str, int]] = {}

    @property
    def methods(self) -> dict[str, Method]:
        """Those of the process."""
        return {"GetNewParameters": self.get_new, "RunDirect": self.run, "SubmitToAgent": self.submit}

    def get_new(self, _: Call, __: Given) -> Answer:
        """Parameters to fill in."""
        return {"returnObj": {PARAMETERS: [dict(FRESH)], "ReportStyle": [], "ExtensionTables": []}, "parameters": {}}

    def run(self, call: Call, given: Given) -> Answer:
        """Post at once; what could not be posted is only told by the group."""
        wish = _wish(given)
        self._posting.carry_out(call.company, wish["GroupID"])
        return {"parameters": {"ds": given["ds"]}}

    def submit(self, call: Call, given: Given) -> Answer:
        """Leave it to the agent."""
        for name in ("agentID", "agentSchedNum", "agentTaskNum"):
            parameter(given, name)
        if not parameter(given, "maintProgram"):
            raise business("You must pass the name of the maintenance program")
        wish, site = _wish(given), self._site
        number, now = len(site.tasks["SysTask"]) + 1, site.clock.now()
        site.tasks["SysTask"].append(
            {
                "SysTaskNum": number,
                "Company": call.company,
                "TaskDescription": "GL Journal Posting",
                "TaskNote": wish["TaskNote"],
                "TaskType": "Process",
                "TaskStatus": self._spelt("Active"),
                "SubmitUser": site.username,
                "AgentID": given["agentID"],
                "ProgressPercent": 0,
                "StartedOn": now,
                "EndedOn": None,
                "SysRevID": site.books.next_revs(),
                "SysRowID": str(uuid.uuid4()),
                "RowMod": "",
            }
        )
        self._waiting[number] = (call.company, wish["GroupID"], site.switches["task_polls"])
        site.touch()
        return {"parameters": {"ds": given["ds"]}}

    def look(self) -> None:
        """Somebody looks at the tasks: those that were looked at often enough are carried out."""
        for number, (company, group_id, left) in list(self._waiting.items()):
            if left > 0:
                self._waiting[number] = (company, group_id, left - 1)
            else:
                self._carry_out(number)

    def finish(self) -> int:
        """Carry out all tasks that wait; how many there were."""
        waiting = list(self._waiting)
        for number in waiting:
            self._carry_out(number)
        return len(waiting)

    def _carry_out(self, number: int) -> None:
        company, group_id, _ = self._waiting.pop(number)
        try:
            text = self._posting.carry_out(company, group_id)
        except RefusalError as refusal:
            text = refusal.text
        site, now = self._site, self._site.clock.now()
        status = self._spelt("Error" if text else "Complete")
        site.tasks["SysTask"][number - 1] |= {"TaskStatus": status, "ProgressPercent": 100, "EndedOn": now}
        site.tasks["SysTask"][number - 1]["SysRevID"] = site.books.next_revs()
        site.tasks["SysTaskLog"].append(
            {
                "SysTaskNum": number,
                "SysTaskLogNum": 1,
                "Company": company,
                "EnteredOn": now,
                "RowMod": "",
                "MsgType": "Error" if text else "Info",
                "MsgText": text or "Posting is complete.",
                "SysRevID": site.books.next_revs(),
                "SysRowID": str(uuid.uuid4()),
            }
        )
        site.touch()

    def _spelt(self, status: str) -> str:
        return status.upper() if self._site.switches["task_status_case"] == "upper" else status


def _wish(given: Given) -> dict[str, Any]:
    """The parameters that were filled in. Raises when there is no group among them."""
    said = parameter(given, "ds")
    rows = said.get(PARAMETERS) if isinstance(said, dict) else None
    if not rows or not rows[-1].get("GroupID"):
        raise business("Group ID is required.", PARAMETERS)
    return {**FRESH, **rows[-1]}
