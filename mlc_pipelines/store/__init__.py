"""What we remember: one SQL database and a folder of content-addressed files, both under one home.

home         where everything lies (MLC_HOME), and the one Store object that opens it
schema       the tables; migrations/ brings any older database up to them
artefacts    files named by their SHA-256: extracts, CSVs sent, dumps, exports
history      which step of which period was done with which result, and which files were (perhaps) loaded
fence        one writer per model: a lock owned by the writing process
vault        credentials, AES-256-GCM bound to their identity
"""
