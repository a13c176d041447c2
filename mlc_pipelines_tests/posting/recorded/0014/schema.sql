BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE approvals (
	id INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	"plan" VARCHAR(200) NOT NULL, 
	package VARCHAR(64) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	evidence TEXT NOT NULL, 
	note TEXT NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE contracts (
	name VARCHAR(600) NOT NULL, 
	artefact VARCHAR(64) NOT NULL, 
	read_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE credentials (
	name VARCHAR(120) NOT NULL, 
	version INTEGER NOT NULL, 
	key_id VARCHAR(16) NOT NULL, 
	nonce BLOB NOT NULL, 
	ciphertext BLOB NOT NULL, 
	made_at VARCHAR(40) NOT NULL, format INTEGER DEFAULT '1' NOT NULL, made_by VARCHAR(200) DEFAULT '' NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE known_ids (
	place VARCHAR(600) NOT NULL, 
	name VARCHAR(400) NOT NULL, 
	id VARCHAR(80) NOT NULL, 
	listed_at DOUBLE NOT NULL, 
	PRIMARY KEY (place, name)
);
CREATE TABLE loads (
	id INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	period VARCHAR(20) NOT NULL, 
	sent VARCHAR(64) NOT NULL, 
	read_back VARCHAR(64) NOT NULL, 
	dump VARCHAR(64) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	note TEXT NOT NULL, 
	begun_at VARCHAR(40) NOT NULL, 
	ended_at VARCHAR(40) NOT NULL, feed VARCHAR(40) DEFAULT 'actuals' NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE mapping_changes (
	id INTEGER NOT NULL, 
	proposal INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	dimension VARCHAR(40) NOT NULL, 
	code VARCHAR(120) NOT NULL, 
	since VARCHAR(20) NOT NULL, 
	member VARCHAR(200) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE mapping_versions (
	id INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	version VARCHAR(64) NOT NULL, 
	used_at VARCHAR(40) NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	run VARCHAR(80) NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT mapping_versions_once UNIQUE (connection, version)
);
CREATE TABLE marks (
	id INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	source VARCHAR(200) NOT NULL, 
	until VARCHAR(40) NOT NULL, 
	seen TEXT NOT NULL, 
	facts TEXT NOT NULL, 
	made_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE messages (
	id INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	way VARCHAR(120) NOT NULL, 
	message TEXT NOT NULL, 
	made_at VARCHAR(40) NOT NULL, 
	tries INTEGER NOT NULL, 
	next_at VARCHAR(40) NOT NULL, 
	ended VARCHAR(20) NOT NULL, 
	said TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE notices (
	id INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	source VARCHAR(200) NOT NULL, 
	notice VARCHAR(120) NOT NULL, 
	stamp BIGINT NOT NULL, 
	periods TEXT NOT NULL, 
	received_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT notices_once UNIQUE (connection, source, notice)
);
CREATE TABLE open_sessions (
	id INTEGER NOT NULL, 
	place VARCHAR(400) NOT NULL, 
	site VARCHAR(400) NOT NULL, 
	slot INTEGER NOT NULL, 
	holder VARCHAR(200) NOT NULL, 
	key_id VARCHAR(16) NOT NULL, 
	nonce BLOB NOT NULL, 
	ciphertext BLOB NOT NULL, 
	opened_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE posting_events (
	id INTEGER NOT NULL, 
	reference VARCHAR(40) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	number VARCHAR(80) NOT NULL, 
	note TEXT NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	run VARCHAR(80) NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(reference) REFERENCES postings (reference)
);
CREATE TABLE postings (
	reference VARCHAR(40) NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	package VARCHAR(64) NOT NULL, 
	period VARCHAR(20) NOT NULL, 
	content_hash VARCHAR(64) NOT NULL, 
	draft TEXT NOT NULL, 
	approval TEXT NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	number VARCHAR(80) NOT NULL, 
	note TEXT NOT NULL, 
	made_at VARCHAR(40) NOT NULL, 
	changed_at VARCHAR(40) NOT NULL, "plan" VARCHAR(200) DEFAULT '' NOT NULL, 
	PRIMARY KEY (reference)
);
CREATE TABLE refusals (
	id INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	feed VARCHAR(40) NOT NULL, 
	period VARCHAR(20) NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	record TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	amount_minor BIGINT NOT NULL, 
	currency VARCHAR(40) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	since VARCHAR(40) NOT NULL, 
	seen_at VARCHAR(40) NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	closed_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE request_grants (
	id INTEGER NOT NULL, 
	budget VARCHAR(200) NOT NULL, 
	at DOUBLE NOT NULL, 
	permits INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE request_pauses (
	budget VARCHAR(200) NOT NULL, 
	until DOUBLE NOT NULL, 
	PRIMARY KEY (budget)
);
CREATE TABLE standings (
	id INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	period VARCHAR(20) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	load INTEGER NOT NULL, 
	notice INTEGER NOT NULL, 
	reading TEXT NOT NULL, 
	changes VARCHAR(64) NOT NULL, 
	note TEXT NOT NULL, 
	run VARCHAR(80) NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE steps (
	id INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	step VARCHAR(60) NOT NULL, 
	period VARCHAR(20) NOT NULL, 
	artefact VARCHAR(64) NOT NULL, 
	facts TEXT NOT NULL, 
	run VARCHAR(80) NOT NULL, 
	made_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE trail (
	number INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	kind VARCHAR(60) NOT NULL, 
	period VARCHAR(20) NOT NULL, 
	reference VARCHAR(80) NOT NULL, 
	run VARCHAR(80) NOT NULL, 
	event TEXT NOT NULL, 
	first BIGINT NOT NULL, 
	records BIGINT NOT NULL, 
	root VARCHAR(64) NOT NULL, 
	file VARCHAR(64) NOT NULL, 
	header VARCHAR(64) NOT NULL, 
	leaves BLOB NOT NULL, 
	PRIMARY KEY (number)
);
CREATE TABLE troubles (
	id INTEGER NOT NULL, 
	connection VARCHAR(120) NOT NULL, 
	kind VARCHAR(60) NOT NULL, 
	about VARCHAR(200) NOT NULL, 
	content VARCHAR(16) NOT NULL, 
	what TEXT NOT NULL, 
	next_step TEXT NOT NULL, 
	since VARCHAR(40) NOT NULL, 
	told_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT troubles_once UNIQUE (connection, kind, about)
);
CREATE INDEX steps_by_place ON steps (connection, step, period, id);
CREATE INDEX marks_by_source ON marks (connection, source, id);
CREATE INDEX request_grants_by_time ON request_grants (budget, at);
CREATE INDEX loads_by_feed ON loads (connection, feed, period, id);
CREATE INDEX postings_by_state ON postings (connection, state);
CREATE INDEX posting_events_by_reference ON posting_events (reference, id);
CREATE INDEX approvals_by_package ON approvals (connection, package, id);
CREATE INDEX trail_by_place ON trail (connection, kind, period, number);
CREATE INDEX trail_by_reference ON trail (reference, number);
CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER trail_only_next BEFORE INSERT ON trail
WHEN NEW.number IS NOT (SELECT COALESCE(MAX(number), 0) + 1 FROM trail)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE INDEX standings_by_period ON standings (connection, period, id);
CREATE INDEX mapping_changes_by_connection ON mapping_changes (connection, id);
CREATE INDEX messages_by_connection ON messages (connection, id);
CREATE INDEX refusals_by_place ON refusals (connection, state, period);
COMMIT;
