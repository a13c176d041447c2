"""What we remember: one SQL database and a folder of content-addressed files, both under one home.

home         where everything lies (MLC_HOME), and the one Store object that opens it
schema       the tables; migrations/ brings any older database up to them
artefacts    files named by their SHA-256: extracts, CSVs sent, dumps, exports
elsewhere    the same files at a place that fsspec knows
references   which kept file is named by what, for retention
refusals     records that were refused, until a load takes them or somebody waives them
trail        the audit trail: every figure moved, by whom, under which approval; chained, signed, append-only
history      which step of which period was done with which result, and which files were (perhaps) loaded
fence        one writer per model: a lock owned by the writing process
fleet        the same among machines that share a Postgres database
notices      what an ERP told or was found to have changed: each once, in the order in which it arrived
standings    what became of each period: agreed, suspended, closed and re-opened in the ERP; never changed afterwards
clock        the one place where the store asks what time it is
outbox       what people were told, and the messages on their way to them
marks        how far each ERP was watched for changes, by its own clock
postings     journals written into an ERP: durable intents, how far each one came, and every transition
reversals    released journals of ours that people reversed in the ERP
told         journals, budget figures and approvals as the audit trail tells them
tokens       the newest refresh token of each log-in, under a lock between processes
vault        credentials, AES-256-GCM bound to their identity (sealing)
strongroom   what lies behind them: records, ring, anchor, and the lock of who changes them; rotation renews the keys
ring         the keys that open them; ringplaces and ringserver: where a ring can lie
anchor       the newest version of each credential, outside of the database: an old one put back is noticed
dumps        no image of a memory that holds secrets
durable      small files replaced in one step
seats        sessions of foreign systems: how many at once, and those that a killed run left open
budget       requests per minute to one foreign tenant, shared by all processes and machines
known        ids of foreign systems by name, a hint that saves calls
contracts    what an ERP publishes about its entities, kept per site and build
"""
