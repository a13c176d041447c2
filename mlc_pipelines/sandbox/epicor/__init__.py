"""The Epicor Kinetic emulator: one instance over the books of Ironvale.

site       the instance: books, one user, key and application, switches, sessions    auth    key, login, tokens, companies, rights
schema     tables with their types, services with their sets                          metadata    what a service tells of itself
reading, options, filters, comparing, columns    entity sets, their `$` options, the filter language
methods, where    GetRows, GetList, GetByID and their where-clauses           baqs, queries    what the owner has built, and running it
shelf, picked, standing, meanwhile    rows as they can be seen just now: kept, paged, lagging, meddled with
switches, errors, wire, web   what a test may change, refusals, rows as JSON, the paths                 control, bookdoor    the tests' own door
writing, keeper, dataset    methods that write: Update and UpdateExt over datasets       accounts    what an entry is checked against
groups, drafts, journals, posting, review, tasks    journal entry                                budgets    the budget tables
"""

from mlc_pipelines.sandbox.epicor.control import control_routes
from mlc_pipelines.sandbox.epicor.site import Kinetic
from mlc_pipelines.sandbox.epicor.switches import SWITCHES
from mlc_pipelines.sandbox.epicor.web import routes

__all__ = ["SWITCHES", "Kinetic", "control_routes", "routes"]
