"""The Anaplan emulator: an imaginary tenant behind the real addresses, methods and bodies.

tenant, switches, evidence   who and what there is, what can be set, what was done by whom and when
dimension, timescale, model, built, files    members, periods, modules and cells; the files of an import or export, per user
roster, totals, grid, reads  a list being changed; sums; a view laid out; a large read
tasks, actions, mapping, deeds   the queue of a model; what a task does when its time has come, and what it was told
imports, listimports, results, exports    the import engines, how they tell their outcome, and the export writer
logins, certificates, oauth, limits    who may come in, by which door, and how often
cloudworks                  the scheduled jobs of the customer
wire, gate, web              the HTTP side: envelope, doors, routes; and one file for each family of calls:
    auth, oauthcalls, cloudworkscalls (with -runs, -wire), discovery, metadata, filecalls, taskcalls, listcalls, listwrites, dimensioncalls,
    viewcalls, cellcalls, readcalls
sample, builder, ironvale, ironvalebuilder, making    the tenant of the sample companies: a workspace for each
plan, planfigures           the plan of a sample model, its exports, and the evidence that it was approved
byhand, planner, mishaps, control    doors for tests, no part of Anaplan
"""

from mlc_pipelines.sandbox.anaplan.control import control_routes
from mlc_pipelines.sandbox.anaplan.ironvale import ironvale_info
from mlc_pipelines.sandbox.anaplan.sample import sample_tenant
from mlc_pipelines.sandbox.anaplan.tenant import Tenant
from mlc_pipelines.sandbox.anaplan.web import routes

__all__ = ["Tenant", "control_routes", "ironvale_info", "routes", "sample_tenant"]
