"""From a connection file to connected rooms; the one place where credentials are opened.

settings      what a connection file may say (pydantic), refused with file, line, field and remedy
connections   all files of the folder, each on its own: a broken one is shown by name and takes nothing else down
closing       what a connection file may say of its close; holidays, by country, region or exchange; quiet times
notify        what a connection file may say of who is told; messengers: how they are reached
receiver      the door for push notifications: checked, kept, then answered
configs       settings -> what the rooms want to be told
credentials   the vault opened for one connection
custody       who stored, changed or forgot a credential, told to the audit trail
log_in        a person logs in once, for all later runs
trying        which connections use a credential, and whether they can log in with it; a new password tried before it is taken
rooms         a connection -> a Desk: store, vault, ERP client, planning client
"""
