"""What we remember: one SQL database and a folder of content-addressed files, both under one home.

home         where everything lies (MLC_HOME), and the one Store object that opens it
schema       the tables; migrations/ brings any older database up to them
artefacts    files named by their SHA-256: extracts, CSVs sent, dumps, exports
history      which step of which period was done with which result, and which files were (perhaps) loaded
fence        one writer per model: a lock owned by the writing process
notices      push notifications of an ERP: each once, in the order in which it arrived
vault        credentials, AES-256-GCM bound to their identity
seats        sessions of foreign systems: how many at once, and those that a killed run left open
contracts    what an ERP publishes about its entities, kept per site and build
"""
