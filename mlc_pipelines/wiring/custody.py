"""Who stored, changed or forgot a credential, told to the audit trail: its name and version, never a value."""

from mlc_pipelines.store.home import Store
from mlc_pipelines.store.trail.event import Event
from mlc_pipelines.wiring.people import who

STORED, ROTATED, FORGOTTEN = "credential_stored", "credential_rotated", "credential_forgotten"
LOGGED_IN = "person_logged_in"
KEY_ROTATED, STARTED_OVER = "key_rotated", "credentials_started_over"


def told(store: Store, kind: str, name: str, **said: str) -> None:
    """After it was done. said: version, key, fields (their names) and the like."""
    store.trail.append(Event(kind, "", "DONE", who(), reference=name, objects=said))
