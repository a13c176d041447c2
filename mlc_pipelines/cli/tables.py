"""Tables on a terminal."""

import pandas as pd


def show(title: str, frame: pd.DataFrame) -> None:
    """A table under its title; columns of figures stand to the right. Wide enough for people and for pipes."""
    from rich.box import SIMPLE_HEAD  # costs 50 ms, which scripts need not wait for
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, title_justify="left")
    for name in frame.columns:
        figures = str(name).endswith(("debit", "credit", "approved", "ERP", "written", "lines", "stake", "score"))
        table.add_column(str(name), justify="right" if figures else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(str(value) for value in row))
    Console(width=140 if not Console().is_terminal else None).print(table)
