"""The ERP's own fiscal periods, as they stand for one company."""

from mlc_pipelines.acumatica import codec, wire
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.ledger.ports import LedgerPeriod


def read_periods(site: Connection, books: codec.Books) -> list[LedgerPeriod]:
    """The periods of the calendar that the company goes by, in fiscal order; readable when Open, Closed or Locked [S UG GL201000]."""
    if not books.own_calendar:
        years = site.list("FinancialPeriod", wire.FinancialYear, expand="Details")
        return codec.to_periods(years, site.config)
    own = site.list("CompanyFinancialPeriod", wire.CompanyYear, expand="Details")
    return codec.to_company_periods(own, books, site.config)
