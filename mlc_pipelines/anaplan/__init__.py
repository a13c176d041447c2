"""The planning model: one Anaplan model, reached through its Integration API.

config      what a connection must say: addresses, workspace, model, limits on waiting
auth        basic log-in: one token per run
api         one caller for the model's calls: envelope, paging, refusals in plain words
discovery   workspace, model, actions and lists by name; ambiguous and vanished names are errors
fit         whether an import reads files as we write them
files       upload in chunks, checked afterwards; download of every chunk
tasks       start once, poll to a final state, never start blindly again
outcome     what an import says it did: counts, flags, words
dump        the rows it refused, and why
client      Anaplan, the port PlanningModel fulfilled
"""
