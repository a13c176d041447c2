"""Ironvale Manufacturing, the second sample company: its books, as a Kinetic instance holds them. No HTTP; the emulator serves them.

An industrial manufacturer of 600 people: company IVM, plants MfgSys, NORTH and DIST, US dollars, fiscal years of 4-4-5 weeks to the
last Saturday of September, named by their end. `sample_books` writes its books from a seed: the same seed gives the same books, to
the cent, the number and the row version. They are written up to 9 November 2026.

    FY2024T            a transition year with a suffix, three periods, July to September 2024; closed
    FY2025             12 periods and a closing period 13 (CloseFiscalPeriod 1), the last day of the year only; closed
    FY2026             12 periods and the 13th; P01-P10 closed, P11-P13 open
    FY2027             P01 booked, P02 in progress; the rest empty; nothing closed
    MAIN               about 5 journals a day, 2 to 20 lines each: sales, production, payroll, vendors' invoices, payments, bank

Where is what:  `books` the class others use, `shapes` what it is made of, `tables` the columns and keys of each table.
`holdings`, `entries`, `payables`: what stands, how it is changed.  `rows`, `*_rows`: how it looks as Kinetic's tables.
`chart`, `calendars`, `vendors`: codes.  `company`, `bookkeeper`, `slips`, `business`, `production`, `spending`, `oddities`, `plans`,
`sister`: who writes the sample.

What a careless reader would get wrong stands in it on purpose, in every period where nothing else is said:

  Books and companies
    several books      TAX repeats MAIN with other depreciation, PLAN holds plan journals (BU), OLD is inactive: a sum over books is nonsense
    two calendars      TAX goes by calendar months from January: FY2025-P01 is another month there, and its 2024 has no suffix
    two companies      IVC shares the tables: its book is also called MAIN, in CAD; its vendor number 7 is another vendor, its ACME has number 12
  Codes
    codes              account "0010" and "NA", vendors "0042" and "NULL" (inactive): text that looks like a number, or like nothing
    names              a comma, a double quote, a percent sign, letters that are not Latin; invoice numbers with a quote, a slash, leading zeros
    no plan member     accounts "6777" and "8880", department "530", vendor "ODDJOB": posted to, each apart from the others, and not planned
    inactive           accounts "1190", "4990", "5990" and "6990" ("6990" with postings up to FY2025), department "700", three vendors, of
                       which one sold up to FY2025; department "710" is active, and expired with FY2025
    no department      interest, and all of the balance sheet; plant is a dynamic segment, often empty, and not in the balances
    twenty segments    every row has SegValue1 to SegValue20, 4 to 20 of them empty
  Journal lines
    not posted         two journals of GLJrnDtl have Posted false; one is a cent out of balance
    statistics         headcount and machine hours: Statistical true, no money, one-sided, in MAIN
    currencies         sales and invoices in CAD and EUR: DebitAmount is not BookDebitAmount, and cents of rounding go to "7090"
    red                a cost taken back by a negative debit, and a cell ("6150", "140") that may end below zero; cancelled invoices as well
    reversed pairs     penalties "6760", booked in error and taken back: lines there are, and their sum is zero
    auto-reversing     accruals of the last day, taken back on the first day of the next period (code RV)
    dates              a journal dated in the period before its own, and one posted in the period after
    between plants     transfers from MfgSys to DIST, balanced by plant through "1910"; between companies, SrcCompany IVC
    row versions       bank lines of FY2026, closed periods too, were written again on the last day: SysRevID moved, amounts did not
  Balances
    types              GLPeriodBal by account and department (D), by account (S), and both in one (B): all three together are twice the money
    openings           period 0: OpenBalance of the balance sheet with last year's result in "3900", which no journal booked;
                       CarryForwardBalance of income accounts, which is no opening. FY2027 has none until FY2026 is closed
    budgets            rows of GLBudgetHd without a BudgetCodeID, from FY2025
  Vendors' invoices
    two books          APInvExpTGLC has for each distribution a record A (no amounts) and R (amounts), for MAIN and for TAX
    receipts           invoice lines matched to an order's receipts have no APInvExp; they clear "2150"
    tax, prepayments   tax goes to "1390" and has no distribution; prepayments are distributed to "1330", machines to "1520" and "1530"
    debit memos        negative amounts, credited; cancelled invoices have a twin "-C" in a later period, in red
    dates              the InvoiceDate is up to 19 days before the ApplyDate, often in another period or year; some invoices are not posted
    payments           code CD, from AP as well: a discount taken goes to "8110", now and then a bank fee to the expense account "7010"
"""

from mlc_pipelines.sandbox.ironvale.books import Ironvale
from mlc_pipelines.sandbox.ironvale.chart import NO_PLAN_CENTER, NO_PLAN_MEMBER, NO_PLAN_VENDOR
from mlc_pipelines.sandbox.ironvale.company import empty_books, sample_books
from mlc_pipelines.sandbox.ironvale.shapes import Line

__all__ = [
    "NO_PLAN_CENTER",
    "NO_PLAN_MEMBER",
    "NO_PLAN_VENDOR",
    "Ironvale",
    "Line",
    "empty_books",
    "sample_books",
]
