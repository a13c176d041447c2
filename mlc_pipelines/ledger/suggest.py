"""Members that an unmapped code may belong to, best first, each with the reasons a person would give. Pure; nothing is decided here."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from rapidfuzz import fuzz, process, utils

from mlc_pipelines.ledger.mapping import MemberRule

SUGGESTED = ["dimension", "code", "name", "rank", "member", "member_name", "score", "why"]
"""Columns of suggestions: score from 0 to 100; why in words, the strongest reason first."""
_NAME, _CODE, _FAMILY, _FREE, _SAME_CODE = 0.55, 0.2, 0.15, 0.1, 0.35
_SAID_FROM = 0.6  # a reason weaker than this is not worth a word
_SHORT = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """How strongly each reason speaks for each pair, 0 to 1: rows are codes, columns members."""

    name: npt.NDArray[np.float64]
    code: npt.NDArray[np.float64]
    family: npt.NDArray[np.float64]
    free: npt.NDArray[np.float64]

    @property
    def score(self) -> npt.NDArray[np.float64]:
        """All together; the same code under another name, or the same name under another code, needs little more."""
        weighed = _NAME * self.name + _CODE * self.code + _FAMILY * self.family + _FREE * self.free
        weighed = weighed + _SAME_CODE * (self.code == 1)
        return np.asarray(np.clip(weighed, 0, 1))


def suggest(
    lacking: pd.DataFrame, mapped: pd.DataFrame, members: pd.DataFrame, rule: MemberRule, *, count: int = 3
) -> pd.DataFrame:
    """The best leaf members for each code that has none: SUGGESTED, in the order of the codes, best first.

    lacking: code, name, family (what codes of a kind have in common: class, parent). mapped: the same and member, of codes that have theirs.
    members: code, name, parent, leaf. A member that no code lands on is more likely than one that is taken.
    """
    leaves = members[members["leaf"] & (members["code"] != "")].reset_index(drop=True)
    if lacking.empty or leaves.empty:
        return pd.DataFrame(columns=SUGGESTED)
    evidence = _evidence(lacking, mapped, leaves, rule)
    scores = evidence.score
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    rows = []
    for at, (code, name) in enumerate(zip(lacking["code"], lacking["name"], strict=True)):
        for rank, place in enumerate(order[at].tolist(), start=1):
            why = _why(evidence, at, place, str(leaves["parent"].iat[place]))
            member = leaves["code"].iat[place], leaves["name"].iat[place]
            rows.append((rule.dimension, code, name, rank, *member, round(100 * float(scores[at, place])), why))
    return pd.DataFrame(rows, columns=SUGGESTED)


def _evidence(lacking: pd.DataFrame, mapped: pd.DataFrame, leaves: pd.DataFrame, rule: MemberRule) -> Evidence:
    plain = [_core(code, rule) for code in leaves["code"]]
    codes = lacking["code"].tolist()
    return Evidence(
        _alike(lacking["name"].tolist(), leaves["name"].tolist()),
        np.array([[_code_likeness(code, other) for other in plain] for code in codes]),
        _family(lacking, mapped, leaves),
        np.tile(~leaves["code"].isin(set(mapped["member"])).to_numpy(), (len(codes), 1)).astype(float),
    )


def _alike(names: Sequence[str], others: Sequence[str]) -> npt.NDArray[np.float64]:
    """How alike the names are, whatever the order of their words, and with words left out or cut."""
    scorers = fuzz.token_sort_ratio, fuzz.WRatio
    each = [process.cdist(names, others, scorer=one, processor=_normal) for one in scorers]
    return np.asarray(sum(each) / (100 * len(each)), np.float64)


def _normal(text: str) -> str:
    """A name without its own code in front, signs and case."""
    said: str = utils.default_process(re.sub(r"^[A-Z]{0,3}[\d.\-]+\s+", "", text))
    return said


def _core(member: str, rule: MemberRule) -> str:
    """A member's code without what the rule writes around the ERP's code."""
    before, _, after = rule.template.partition("{code}")
    return member.removeprefix(before).removesuffix(after) if rule.template else member


def _code_likeness(code: str, other: str) -> float:
    """1 for the same code, also where it was cut, filled up with zeros or divided; less the earlier two codes part."""
    ours, theirs = (re.sub(r"[^0-9A-Za-z]", "", one).lstrip("0") for one in (code, other))
    if ours == theirs:
        return 1.0
    shared = next((at for at, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), None)
    shared = min(len(ours), len(theirs)) if shared is None else shared
    if shared >= _SHORT and shared == min(len(ours), len(theirs)):
        return 0.9  # one is the beginning of the other: split, or cut
    return 0.8 * shared / max(len(ours), len(theirs), 1)


def _family(lacking: pd.DataFrame, mapped: pd.DataFrame, leaves: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Which part of the mapped codes of the same family lands under each member's parent."""
    parent_of = dict(zip(leaves["code"], leaves["parent"], strict=True))
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for family, member in zip(mapped["family"], mapped["member"], strict=True):
        if member in parent_of:
            votes[family][parent_of[member]] += 1
    parents = leaves["parent"].tolist()
    return np.array([_shares(votes[family], parents) for family in lacking["family"]])


def _shares(votes: Mapping[str, int], parents: Sequence[str]) -> list[float]:
    total = sum(votes.values())
    return [votes.get(parent, 0) / total if total else 0.0 for parent in parents]


def _why(evidence: Evidence, at: int, place: int, parent: str) -> str:
    name, code, family = (float(part[at, place]) for part in (evidence.name, evidence.code, evidence.family))
    reasons = [
        (_CODE * code + (code == 1), "same code" if code == 1 else "a code that begins alike"),
        (_NAME * name, "same name" if name == 1 else f"name {100 * name:.0f} % alike"),
        (_FAMILY * family, f"its family lands under {parent}"),
    ]
    strong = [
        said
        for (weight, said), size in zip(reasons, (code, name, family), strict=True)
        if size >= _SAID_FROM and weight
    ]
    ranked = [said for _, said in sorted(reasons, reverse=True) if said in strong]
    free = [] if not evidence.free[at, place] else ["nothing lands on it yet"]
    return "; ".join([*ranked, *free]) or "nothing better was found"
