"""The tables, and how an older database is brought up to them. Times are UTC texts, hashes lower-case hex."""

from pathlib import Path

import sqlalchemy as sa

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.trail.faults import telling_faults

REVISION = "0017"
_UPGRADE_LOCK = 7_302_418_221_006  # Postgres knows its advisory locks by number; any one, always the same

metadata = sa.MetaData()

steps = sa.Table(
    "steps",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("step", sa.String(60), nullable=False),
    sa.Column("period", sa.String(20), nullable=False, default=""),  # "" for reference data
    sa.Column("artefact", sa.String(64), nullable=False),
    sa.Column("facts", sa.Text, nullable=False),  # JSON: counts, totals, versions as they stood
    sa.Column("run", sa.String(80), nullable=False, default=""),
    sa.Column("made_at", sa.String(40), nullable=False),
    sa.Index("steps_by_place", "connection", "step", "period", "id"),
)

loads = sa.Table(
    "loads",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("feed", sa.String(40), nullable=False),  # the kind of figures: actuals, ap_spend
    sa.Column("period", sa.String(20), nullable=False),
    sa.Column("sent", sa.String(64), nullable=False),  # the file, written down before its first byte leaves
    sa.Column("read_back", sa.String(64), nullable=False, default=""),
    sa.Column("dump", sa.String(64), nullable=False, default=""),
    sa.Column("state", sa.String(20), nullable=False),  # BEGUN, AGREED, DIRTY
    sa.Column("note", sa.Text, nullable=False, default=""),
    sa.Column("begun_at", sa.String(40), nullable=False),
    sa.Column("ended_at", sa.String(40), nullable=False, default=""),
    sa.Index("loads_by_feed", "connection", "feed", "period", "id"),
)

credentials = sa.Table(
    "credentials",
    metadata,
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("format", sa.Integer, nullable=False, server_default="1"),  # what is bound into the cipher
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("key_id", sa.String(16), nullable=False),
    sa.Column("nonce", sa.LargeBinary, nullable=False),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    sa.Column("made_at", sa.String(40), nullable=False),
    sa.Column("made_by", sa.String(200), nullable=False, server_default=""),
)

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),  # random; one row, made with the table
)

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("source", sa.String(200), nullable=False),  # what was watched, in the ERP's words
    sa.Column("notice", sa.String(120), nullable=False),  # the sender's own id: the same one may come again
    sa.Column("stamp", sa.BigInteger, nullable=False),  # grows with the sender's time
    sa.Column("periods", sa.Text, nullable=False),  # JSON list of the fiscal periods that it touches
    sa.Column("received_at", sa.String(40), nullable=False),
    sa.UniqueConstraint("connection", "source", "notice", name="notices_once"),
)

open_sessions = sa.Table(
    "open_sessions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column(
        "place", sa.String(400), nullable=False
    ),  # the machine and folder whose locks tell whether its owner lives
    sa.Column("site", sa.String(400), nullable=False),
    sa.Column("slot", sa.Integer, nullable=False),
    sa.Column("holder", sa.String(200), nullable=False),
    sa.Column("key_id", sa.String(16), nullable=False),
    sa.Column("nonce", sa.LargeBinary, nullable=False),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),  # what the session is signed out with
    sa.Column("opened_at", sa.String(40), nullable=False),
)

contracts = sa.Table(
    "contracts",
    metadata,
    sa.Column("name", sa.String(600), primary_key=True),  # site, endpoint, version, build
    sa.Column("artefact", sa.String(64), nullable=False),
    sa.Column("read_at", sa.String(40), nullable=False),
)

marks = sa.Table(
    "marks",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("source", sa.String(200), nullable=False),
    sa.Column("until", sa.String(40), nullable=False),  # by the source's own clock
    sa.Column("seen", sa.Text, nullable=False),  # JSON list
    sa.Column("facts", sa.Text, nullable=False),  # JSON
    sa.Column("made_at", sa.String(40), nullable=False),
    sa.Index("marks_by_source", "connection", "source", "id"),
)

request_grants = sa.Table(
    "request_grants",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("budget", sa.String(200), nullable=False),
    sa.Column("at", sa.Double, nullable=False),  # seconds since 1970 from which the permits are valid
    sa.Column("permits", sa.Integer, nullable=False),
    sa.Index("request_grants_by_time", "budget", "at"),
)

request_pauses = sa.Table(
    "request_pauses",
    metadata,
    sa.Column("budget", sa.String(200), primary_key=True),
    sa.Column("until", sa.Double, nullable=False),  # nobody sends anything before
)

known_ids = sa.Table(
    "known_ids",
    metadata,
    sa.Column("place", sa.String(600), primary_key=True),  # address, workspace, model and collection
    sa.Column("name", sa.String(400), primary_key=True),
    sa.Column("id", sa.String(80), nullable=False),
    sa.Column("listed_at", sa.Double, nullable=False),  # seconds since 1970 of the list in which it was found
)

postings = sa.Table(
    "postings",
    metadata,
    sa.Column("reference", sa.String(40), primary_key=True),
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("plan", sa.String(200), nullable=False, server_default=""),  # and its fiscal year
    sa.Column("package", sa.String(64), nullable=False),  # what was approved together
    sa.Column("period", sa.String(20), nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("draft", sa.Text, nullable=False),  # JSON: the whole journal, so that anybody can take it up
    sa.Column("approval", sa.Text, nullable=False),  # JSON: who, when, which content, by what evidence
    sa.Column("mapping", sa.String(64), nullable=False, server_default=""),  # version of the targets it went through
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("number", sa.String(80), nullable=False),  # the ERP's, "" before one was seen
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("made_at", sa.String(40), nullable=False),
    sa.Column("changed_at", sa.String(40), nullable=False),
    sa.Index("postings_by_state", "connection", "state"),
)

posting_events = sa.Table(
    "posting_events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("reference", sa.String(40), sa.ForeignKey("postings.reference"), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("number", sa.String(80), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("run", sa.String(80), nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Index("posting_events_by_reference", "reference", "id"),
)

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("plan", sa.String(200), nullable=False),
    sa.Column("package", sa.String(64), nullable=False),  # the content that is approved
    sa.Column("state", sa.String(20), nullable=False),  # APPROVED, WITHDRAWN: the newest counts
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),  # the plan's own approval, in words
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Index("approvals_by_package", "connection", "package", "id"),
)

mapping_changes = sa.Table(
    "mapping_changes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("proposal", sa.Integer, nullable=False),  # id of the row that proposed it; 0 in that row itself
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("dimension", sa.String(40), nullable=False),
    sa.Column("code", sa.String(120), nullable=False),
    sa.Column("since", sa.String(20), nullable=False),  # fiscal period, "" from the beginning
    sa.Column("member", sa.String(200), nullable=False),  # "" where the entry is to go
    sa.Column("state", sa.String(20), nullable=False),  # PROPOSED, ACCEPTED, WITHDRAWN
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Index("mapping_changes_by_connection", "connection", "id"),
)

mapping_versions = sa.Table(
    "mapping_versions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("version", sa.String(64), nullable=False),  # hash of the kept file with all tables
    sa.Column("used_at", sa.String(40), nullable=False),  # for the first time
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("run", sa.String(80), nullable=False),
    sa.UniqueConstraint("connection", "version", name="mapping_versions_once"),
)

trail = sa.Table(
    "trail",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # without gaps: a gap is a deletion
    sa.Column("connection", sa.String(120), nullable=False),  # this and the next four as the event says them
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("period", sa.String(20), nullable=False),
    sa.Column("reference", sa.String(80), nullable=False),
    sa.Column("run", sa.String(80), nullable=False),
    sa.Column("event", sa.Text, nullable=False),  # JSON in its canonical form
    sa.Column("first", sa.BigInteger, nullable=False),  # number of its first record in the whole trail
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("root", sa.String(64), nullable=False),  # of the Merkle tree over its records
    sa.Column("file", sa.String(64), nullable=False),  # with its records, "" where it has none
    sa.Column("header", sa.String(64), nullable=False),  # over all this and the header before
    sa.Column("leaves", sa.LargeBinary, nullable=False),  # hashes under the root; last: others are read without it
    sa.Index("trail_by_place", "connection", "kind", "period", "number"),
    sa.Index("trail_by_reference", "reference", "number"),
)

standings = sa.Table(
    "standings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("period", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("load", sa.Integer, nullable=False),  # the attempt that agreed, 0 where none did
    sa.Column("notice", sa.Integer, nullable=False),  # the newest notice of a change that was considered
    sa.Column("reading", sa.Text, nullable=False),  # JSON: fingerprint of the figures that agreed
    sa.Column("changes", sa.String(64), nullable=False),  # file with the journals that changed, "" where there is none
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("run", sa.String(80), nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Index("standings_by_period", "connection", "period", "id"),
)

refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("feed", sa.String(40), nullable=False),
    sa.Column("period", sa.String(20), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("record", sa.Text, nullable=False),  # its cell or its codes
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),  # OPEN, RESOLVED, WAIVED
    sa.Column("since", sa.String(40), nullable=False),
    sa.Column("seen_at", sa.String(40), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),  # who waived it, "" else
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("closed_at", sa.String(40), nullable=False),
    sa.Index("refusals_by_place", "connection", "state", "period"),
)

troubles = sa.Table(
    "troubles",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("about", sa.String(200), nullable=False),
    sa.Column("content", sa.String(16), nullable=False),  # hash of what was told: another one is told anew
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("next_step", sa.Text, nullable=False),
    sa.Column("since", sa.String(40), nullable=False),
    sa.Column("told_at", sa.String(40), nullable=False),
    sa.UniqueConstraint("connection", "kind", "about", name="troubles_once"),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("connection", sa.String(120), nullable=False),
    sa.Column("way", sa.String(120), nullable=False),  # the messenger, as the connection file names it
    sa.Column("message", sa.Text, nullable=False),  # JSON
    sa.Column("made_at", sa.String(40), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_at", sa.String(40), nullable=False),  # "" once it is delivered or given up
    sa.Column("ended", sa.String(20), nullable=False),  # DELIVERED, GIVEN UP, "" before
    sa.Column("said", sa.Text, nullable=False),  # why the last try failed
    sa.Index("messages_by_connection", "connection", "id"),
)


def open_engine(url: str) -> sa.Engine:
    """A database with today's tables. Raises SetupError when it was written by a newer version of this project, AuditBrokenError when it is damaged."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _careful)
    with telling_faults(engine.url.render_as_string()), engine.connect() as connection:
        held = _revision(connection)
    if held != REVISION:
        if held is not None and held > REVISION:
            raise SetupError(
                f"The database is at revision {held}; this version of mlc_pipelines knows {REVISION}.",
                holds="Nothing was read or written.",
                next_step="Install the newer version again, or restore the database from before its upgrade.",
            )
        with telling_faults(engine.url.render_as_string()):
            _upgrade(engine)
    return engine


def _careful(connection: object, _record: object) -> None:
    """Survive a power cut, and wait for another writer instead of failing at once."""
    cursor = connection.cursor()  # type: ignore[attr-defined]  # the raw DBAPI connection
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(engine: sa.Engine) -> None:
    from alembic import command  # costs a quarter of a second; needed once per database
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # for CREATE alone Python's driver would open no transaction
        else:  # several machines may begin at once; who comes second finds nothing left to do
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
