"""The where-clauses of the methods, in the language of the older client: = <> >= <= > <, either quote, yes and no.

The sources show only = and AND [S SNO]; the rest is what that language has [I].
"""

import re


def from_where(clause: str) -> str:
    """A where-clause like "Company = 'IVM' AND Posted = 0 BY GroupID" as a filter; its order is left out."""
    clause = re.split(r"\s+BY\s+(?=(?:[^']*'[^']*')*[^']*$)", clause, flags=re.IGNORECASE)[0]
    words = {"=": " eq ", "<>": " ne ", ">=": " ge ", "<=": " le ", ">": " gt ", "<": " lt "}

    def said(found: re.Match[str]) -> str:
        if found["text"] is not None:
            return "'" + found["text"][1:-1].replace('""', '"') + "'" if found["text"][0] == '"' else found["text"]
        if found["mark"] is not None:
            return words[found["mark"]]
        word = found["word"].lower()
        return {"yes": "true", "no": "false"}.get(word, word)

    pattern = r"""(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?P<mark><>|>=|<=|=|>|<)|(?P<word>\b(?:AND|OR|NOT|TRUE|FALSE|YES|NO)\b)"""
    return re.sub(pattern, said, clause, flags=re.IGNORECASE).strip()
