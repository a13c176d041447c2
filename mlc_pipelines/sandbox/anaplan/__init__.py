"""The Anaplan emulator: an imaginary tenant behind the real addresses, methods and bodies.

tenant, switches, evidence   who and what there is, what can be set, what was done by whom and when
dimension, model, files      members, modules and cells; the files of an import or export, per user
tasks, actions               the queue of a model, and what a task does when its time has come
imports, results, exports    the import engine, how it tells its outcome, and the export writer
wire, gate, auth, discovery, metadata, filecalls, taskcalls, web    the HTTP side: envelope, doors, routes
sample, control              the tenant of the sample company; routes for tests, no part of Anaplan
"""

from mlc_pipelines.sandbox.anaplan.control import control_routes
from mlc_pipelines.sandbox.anaplan.sample import sample_tenant
from mlc_pipelines.sandbox.anaplan.tenant import Tenant
from mlc_pipelines.sandbox.anaplan.web import routes

__all__ = ["Tenant", "control_routes", "routes", "sample_tenant"]
