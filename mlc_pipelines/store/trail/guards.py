"""The triggers that make the trail append-only, and whether they still stand as the migration put them up.

They stop mistakes and make tampering deliberate; the chain makes it show.
"""

import re
from collections.abc import Mapping

import sqlalchemy as sa

SQLITE: Mapping[str, str] = {
    "trail_no_update": """
        CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    "trail_no_delete": """
        CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    # also against INSERT OR REPLACE, which deletes without asking the trigger above
    "trail_only_next": """
        CREATE TRIGGER trail_only_next BEFORE INSERT ON trail
        WHEN NEW.number IS NOT (SELECT COALESCE(MAX(number), 0) + 1 FROM trail)
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
}

POSTGRES: Mapping[str, str] = {
    "trail_no_change": """
        CREATE TRIGGER trail_no_change BEFORE UPDATE OR DELETE ON trail
        FOR EACH ROW EXECUTE FUNCTION trail_is_append_only()""",
    "trail_no_truncate": """
        CREATE TRIGGER trail_no_truncate BEFORE TRUNCATE ON trail
        FOR EACH STATEMENT EXECUTE FUNCTION trail_is_append_only()""",
}
_FUNCTION = "trail_is_append_only"
_BODY = " BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END "


def missing(db: sa.Connection) -> list[str]:
    """What does not stand as it was put up, in words."""
    if db.dialect.name == "sqlite":
        held = _held(db, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'trail'")
        return _differences(SQLITE, held)
    held = _held(
        db,
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger"
        " WHERE tgrelid = 'trail'::regclass AND NOT tgisinternal AND tgenabled IN ('O', 'A')",
    )
    body = db.exec_driver_sql(f"SELECT prosrc FROM pg_proc WHERE proname = '{_FUNCTION}'").scalars().all()  # noqa: S608 - our own constant
    found = _differences(POSTGRES, held)
    return found if body == [_BODY] else [*found, f"function {_FUNCTION} is not what it was"]


def _held(db: sa.Connection, question: str) -> dict[str, str]:
    return {str(name): str(made_by) for name, made_by in db.exec_driver_sql(question)}


def _differences(expected: Mapping[str, str], held: Mapping[str, str]) -> list[str]:
    gone = [f"trigger {name} is missing" for name in expected if name not in held]
    changed = [
        f"trigger {name} was changed" for name in expected if name in held and _differ(expected[name], held[name])
    ]
    added = [f"trigger {name} is not ours" for name in held if name not in expected]
    return gone + changed + added


def _differ(expected: str, held: str) -> bool:
    """Postgres tells a trigger in its own words: with the schema's name, and the events in an order of its own."""
    return sorted(_words(expected)) != sorted(_words(held))


def _words(statement: str) -> list[str]:
    return re.sub(r"\b\w+\.(?=trail)", "", statement).replace(" OR ", " ").split()
