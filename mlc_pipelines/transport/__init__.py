"""One polite HTTP caller for all systems: everything between a client's method and the bytes.

secret      a value that cannot be printed, copied, pickled or formatted; revealed only here
logs        the last net under all logs: a revealed value is blanked out of every record, and counted
wire        httpx's transport over urllib3: overall deadline, body limits, checked gzip, little CPU
head        status line and headers within one time limit, however they trickle
auth        token log-in as a conversation: one log-in per run, renewed before its end, once again on 401
oauth       access tokens from the newest refresh token, kept before it is used
log_in      a person's one log-in: device code, or browser and loopback redirect (loopback)
caller      read (retried), repeat (idempotent, retried), write (sent once, never retried), download (to a file)
seats       how many sessions of a system there may be at once, and what dead processes left open
budget      requests per minute, shared by all who call one system
answers     what came back: status -> error in one table, HTML and redirects refused, the JSON door
rows        rows of a large JSON array, block by block, from a downloaded file
"""
