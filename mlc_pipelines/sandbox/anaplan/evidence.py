"""What was done by whom and when, and where two callers got into each other's way.

An upload and the import that reads it belong together: from the beginning of the upload to the end of the import no other
caller may write that file or start an action on that model. Nothing in Anaplan holds anybody back, so a crossing shows
that the caller's own fence is missing. A caller is a login (a token), because two processes may share one user.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlc_pipelines.sandbox.anaplan.tasks import Task


@dataclass(slots=True)
class Upload:
    """One upload of one login: from the announcement, or the single PUT, to the last call that wrote to it."""

    model: str
    file: str
    user: str
    session: str
    begun_at: datetime
    last_at: datetime
    chunks: int = 0


@dataclass(slots=True)
class Evidence:
    """The uploads in the order in which they began."""

    uploads: list[Upload] = field(default_factory=list)

    def begin(self, model: str, file: str, user: str, session: str, at: datetime) -> None:
        """An upload was announced, or a whole file put."""
        self.uploads.append(Upload(model, file, user, session, at, at))

    def touch(self, model: str, file: str, user: str, session: str, at: datetime, *, chunks: int) -> None:
        """A chunk was put, or the upload completed: by this login's own upload, or the user's latest if it has none."""
        upload = self._upload_of(model, file, user, session, at)
        if upload is None or upload.session != session:
            upload = Upload(model, file, user, session, at, at)
            self.uploads.append(upload)
        upload.last_at = at
        upload.chunks += chunks

    def _upload_of(self, model: str, file: str, user: str, session: str, before: datetime) -> Upload | None:
        mine = [
            upload
            for upload in self.uploads
            if (upload.model, upload.file, upload.user) == (model, file, user) and upload.begun_at <= before
        ]
        own = [upload for upload in mine if upload.session == session]
        return (own or mine)[-1] if mine else None

    def overlaps(self, model: str, tasks: list[Task], files: dict[str, list[str]]) -> list[dict[str, Any]]:
        """Every import that was crossed. `files` names the files that an action reads, by action id."""
        found = []
        for task in tasks:
            for file in files.get(task.action, []):
                upload = self._upload_of(model, file, task.user, task.session, task.created_at)
                if upload is not None:
                    found += self._crossings(upload, task, tasks)
        return found

    def _crossings(self, upload: Upload, task: Task, tasks: list[Task]) -> list[dict[str, Any]]:
        callers = {upload.session, task.session}
        begin, end = upload.begun_at, task.ended_at
        crossing: list[dict[str, Any]] = []
        for other in self.uploads:
            same_file = (other.model, other.file, other.user) == (upload.model, upload.file, upload.user)
            in_time = other.last_at >= begin and (end is None or other.begun_at <= end)
            if same_file and in_time and other.session not in callers:
                crossing.append({"kind": "upload", "at": stamp(other.begun_at), "caller": other.session})
        for rival in tasks:
            in_time = rival.created_at >= begin and (end is None or rival.created_at <= end)
            if in_time and rival.session not in callers and not rival.planted:
                crossing.append(
                    {"kind": "action", "at": stamp(rival.created_at), "caller": rival.session, "task": rival.id}
                )
        return [
            {
                "model": upload.model,
                "file": upload.file,
                "task": task.id,
                "caller": task.session,
                "begin": stamp(begin),
                "end": stamp(end),
                "crossed_by": one,
            }
            for one in crossing
        ]


def stamp(at: datetime | None) -> str | None:
    """An instant as text, in UTC."""
    return None if at is None else at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def action_row(model: str, task: Task) -> dict[str, Any]:
    """One line of the action log."""
    return {
        "model": model,
        "kind": task.kind,
        "action": task.action_name,
        "action_id": task.action,
        "task": task.id,
        "created": stamp(task.created_at),
        "started": stamp(task.started_at),
        "ended": stamp(task.ended_at),
        "state": task.ending.state if task.ending else None,
        "user": task.user,
        "caller": task.session,
        "planted": task.planted,
    }


def upload_row(upload: Upload) -> dict[str, Any]:
    """One line of the upload log."""
    return {
        "model": upload.model,
        "file": upload.file,
        "user": upload.user,
        "caller": upload.session,
        "begun": stamp(upload.begun_at),
        "last": stamp(upload.last_at),
        "chunks": upload.chunks,
    }
