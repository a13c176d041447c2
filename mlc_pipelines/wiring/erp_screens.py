"""Where a person sees a journal in the ERP itself: a link to its screen, or the way there in words."""

from urllib.parse import urlencode

from mlc_pipelines.wiring.connections import Named

_ACUMATICA_SCREEN = "GL301000"  # Journal Transactions, of every module [S UG GL301000]


def screen_of(named: Named, document: str, period: str) -> str:
    """document: a journal as the trail names it, "GL GL000123" of Acumatica, "GJ 48" of Kinetic; "" for what is no journal (a balance).

    Acumatica opens a record by the keys of its form in the address [S UG, direct links; I that Main takes them on every build]. For Kinetic no address of
    a record is documented, so the way is told.
    """
    erp = named.settings.erp
    first, _, number = document.partition(" ")
    if not number or not first.isupper() or " " in number:
        return ""
    if erp.system == "acumatica":
        tenant = {"CompanyID": erp.tenant} if erp.tenant else {}
        keys = {**tenant, "ScreenId": _ACUMATICA_SCREEN, "Module": first, "BatchNbr": number}
        return f"{erp.url.rstrip('/')}/Main?{urlencode(keys)}"
    return f"Kinetic, company {erp.company}: Journal Tracker, book {erp.book}, period {period}, journal code {first}, journal {number}"
