"""The Acumatica emulator: one ERP site over the sample company's books.

site       the site: books, one user and application, switches, API seats      auth, codes   tokens, cookies, sign-out
contract   fields, keys and forms of the emulated entities                     swagger    the schema published from it
entities   the books as records        reading    lists and single reads       filters, query   $filter and the rest
inquiries  lines of periods and balances per account, asked by PUT             periods    how periods are spelled
payables   vendors, bills, checks, orders as records           meanwhile  what others do while somebody reads
odata, feeds   generic inquiries over OData, and what they show
writing    journals by PUT             operations  actions that take their time
budgets    articles of a budget by PUT, and their release                      bookdoor   the tests' own door to journals and budgets
push       notifications of changed batches to webhooks
wire, errors   value objects, amounts and error bodies on the wire             web        the paths
"""

from mlc_pipelines.sandbox.acumatica.bookdoor import book_routes
from mlc_pipelines.sandbox.acumatica.site import SWITCHES, Site
from mlc_pipelines.sandbox.acumatica.web import routes

__all__ = ["SWITCHES", "Site", "book_routes", "routes"]
