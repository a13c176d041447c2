"""The planning model: one Anaplan model, reached through its Integration API.

config      what a connection must say: addresses, workspace, model, limits on waiting
regions     where Anaplan answers, region by region
auth        log-in by password, certificate or OAuth: one token per run
certificate a message signed with the user's key, in the forms in use
api         one caller for the model's calls: envelope, paging, refusals in plain words
discovery   workspace, model, actions and lists by name; ambiguous and vanished names are errors
courtesy    living beside others: quiet hours, scheduled jobs, whoever is inside the model
quiet       quiet hours by the clock on the wall
cloudworks  the customer's own jobs on the model; schedules: when they may start
fit         whether an import reads files as we write them
chunks      where a file may be cut, and how large its chunks must be
upload      a file into Anaplan, in order or several chunks at a time, proved to be there
files       what a file begins with; download of every chunk
tasks       start once, poll to a final state, never start blindly again
loading     one file through one import, by itself or within a process
exporting   one export into a file, taken only when this very task made it
outcome     what a task says it did: flags, words, the steps of a process
counts      rows taken, ignored, refused, in whatever keys or words
dump        the rows it refused, and why
texts       who approved a plan, and the like: from a list, a view or an export
client      Anaplan, the port PlanningModel fulfilled
"""
