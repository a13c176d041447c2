"""Every schedule of the real engine: its ERP and its register are replaced by a world in which each step may go wrong in each way.

Beside the workers there may be a person who gives the journal up (the real `abandon`), at any moment and between any two steps, without
a fence: then it is abandoned and never released, or becomes a conflict that says so.

A worker is a function from the answers it was given so far to what it asks next: the engine is started anew, given those answers, and
stopped at its next question. Two rows of answers that leave it at the same place, with the same in its memory, are the same worker. So a state of the whole is small:
the ERP, the register, what is still on its way, each worker's answers, and how many faults may still happen. States met before are not walked twice. Time stands still and waiting costs nothing, which is the
worst case: nothing may depend on it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mlc_pipelines.flows import posting as engine
from mlc_pipelines.flows.clerk import Limits, PostingDesk
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.ledger.ports import BookedJournal, ReadJournal
from mlc_pipelines.store.postings import ABANDONED, CLOSED, CONFLICT, INTENT, SEALED, WAITING, Posting
from mlc_pipelines_tests.posting.samples import DRAFT, approved
from mlc_pipelines_tests.posting.script import (
    FOREIGN,
    IS_RELEASED,
    UNFINISHED,
    WRITES,
    WRONG,
    Answer,
    Call,
    Doc,
    Script,
    Stopped,
    booked,
    memory,
)

APPROVAL = approved(DRAFT)
RESTING = {SEALED, WAITING, CONFLICT, ABANDONED}
"""Where a journal may be left (P13): at its end, or with a reason."""
NOBODY, PERSON = -1, 1
"""Where the person's part begins (`Enumerator.nodes`), if there is one; a worker begins at 0."""
PLAIN = frozenset({"lost", "unanswered", "late", "crash", "crash late", "stale"})
"""The faults of the sheet: request or answer lost, applied later, worker killed, look-up one write behind."""
RICH = PLAIN | {"half", "deleted", "distorted", "busy", "said done", "said refused"}
"""And drafts made by halves, changed on the way or deleted by a person, ledgers busy for a moment, and answers that are plainly wrong."""


class World(NamedTuple):
    """One state of everything. workers: numbers of their answers so far (`Enumerator.nodes`), in order since they are all alike."""

    docs: tuple[Doc, ...]
    before: tuple[Doc, ...]
    next_number: int
    late: tuple[Call, ...]
    row: tuple[str, str, str] | None
    workers: tuple[int, ...]
    faults: int
    restarts: int
    wrong: bool = False
    person: int = NOBODY


@dataclass
class Enumerator:
    """Walks every schedule. faults: how many may happen in one. broken: the first promise found broken.

    person: whether somebody gives the journal up meanwhile. manners: whether it counts how a write was sent (fence, look-up before, written down before), or only what came of it.
    """

    workers: int
    faults: int
    kinds: frozenset[str] = PLAIN
    states: int = 0
    transitions: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    looks: int = 10
    manners: bool = True
    person: bool = False
    broken: str = ""
    numbers: dict[object, int] = field(default_factory=dict)
    nodes: list[tuple[int, Answer | None]] = field(default_factory=lambda: [(-1, None), (-1, None)])
    children: dict[tuple[int, Answer], int] = field(default_factory=dict)
    asked: dict[int, tuple[Call, str]] = field(default_factory=dict)
    alike: dict[object, int] = field(default_factory=dict)
    swept: set[object] = field(default_factory=set)
    traced: bool = False
    came_from: dict[int, tuple[int, object]] = field(default_factory=dict)
    schedule: list[object] = field(default_factory=list)

    def run(self) -> "Enumerator":
        self.known(0), self.known(PERSON)
        person = PERSON if self.person else NOBODY
        start = World((), (), 1, (), None, (0,) * self.workers, self.faults, 0, person=person)
        seen, todo = {self.packed(start)}, [start]
        while todo and not self.broken:
            world = todo.pop()
            here = self.packed(world)
            for what, after in self.steps(world):
                self.transitions += 1
                if (packed := self.packed(after)) not in seen:
                    seen.add(packed)
                    todo.append(after)
                    if self.traced:
                        self.came_from[packed] = here, what
                    self.require_promises(after)
                if self.broken:
                    here = packed
                    break
            if all(self.ended(worker) for worker in world.workers):
                self.require_good_end(world)
        self.states = len(seen)
        self.schedule = self.way_to(here)
        return self

    def ended(self, node: int) -> bool:
        return self.asked[node][0][0] == "end"

    def way_to(self, at: int) -> list[object]:
        """The steps that led to a state, where they were kept."""
        steps: list[object] = []
        while at in self.came_from:
            at, what = self.came_from[at]
            steps.append(what)
        return steps[::-1]

    def packed(self, world: World) -> int:
        """The state as one whole number, which takes a tenth of the room: each part by a number of its own."""
        whole = ((world.next_number * 8 + world.faults) * 4 + world.restarts) * 2 + world.wrong
        for part in (world.docs, world.before, world.late, world.row):
            whole = whole << 20 | self.numbers.setdefault(part, len(self.numbers))
        for worker in (*world.workers, world.person + 1):
            whole = whole << 24 | worker
        return whole

    def told(self, node: int, answer: Answer) -> int:
        """The worker after this answer."""
        child = self.children.get((node, answer))
        if child is None:
            self.nodes.append((node, answer))
            child = self.children[node, answer] = self.known(len(self.nodes) - 1)
        return child

    def known(self, node: int) -> int:
        """The first worker that is at the same place with the same in its memory. Plays the engine up to there."""
        answers, at = [], node
        while at not in (0, PERSON):
            at, answer = self.nodes[at]
            answers.append(answer)
        call, broke, memory = self.played(Script(answers[::-1], at == PERSON))  # type: ignore[arg-type]
        same = self.alike.setdefault((call, broke, memory), node)
        if same == node:
            self.asked[node] = call, broke
        self.runs += 1
        return same

    def played(self, script: Script) -> tuple[Call, str, object]:
        """What a worker with these answers asks next, what it breaks by asking, and all that it remembers."""
        limits = Limits(looks=self.looks)
        desk = PostingDesk(script, script, script.fence, limits=limits, now=lambda: 0.0, sleep=lambda _seconds: None)
        try:
            if script.person:
                ended = engine.abandon(DRAFT, desk, "not wanted any more").state
            else:
                ended = engine.post_once(DRAFT, APPROVAL, desk).state
        except Stopped as stopped:
            return script.asked, script.broke, memory(stopped, script)
        except PipelineError:
            if not script.person:
                raise
            ended = "told why not"
        return ("end", ended), "", "a person" if script.person else "a worker"

    def steps(self, world: World) -> Iterator[tuple[object, World]]:
        """Everything that can happen next: a late request is applied, a person deletes a draft, one worker's question is answered in one way."""
        for late in set(world.late):
            rest = list(world.late)
            rest.remove(late)
            yield ("late", late), self.settled(self.applied(world, late)[0]._replace(late=tuple(rest)))
        if world.faults and "deleted" in self.kinds:
            for number, flags in world.docs:
                if not flags & IS_RELEASED:
                    after = self.applied(world, ("delete", number))[0]
                    yield ("a person deletes", number), self.settled(after._replace(faults=world.faults - 1))
        if self.person:
            yield from self.person_steps(world)
        for place, node in enumerate(world.workers):
            if node in world.workers[:place]:
                continue  # the same as the other one
            call, broke = self.asked[node]
            if broke and self.manners:
                self.broken = broke
                return
            if call[0] == "end":
                if world.row and world.row[0] not in CLOSED and world.restarts < 3:
                    again = self.moved(world, place, 0)._replace(restarts=world.restarts + 1)
                    yield ("somebody takes it up again", call[1]), again
                continue
            for after, answer in self.answers(world, call):
                yield (node, call, answer), self.moved(after, place, 0 if answer is None else self.told(node, answer))

    def person_steps(self, world: World) -> Iterator[tuple[object, World]]:
        """Who gives the journal up goes a step on; where the command was killed, it is given again."""
        call, broke = self.asked[world.person]
        if broke and self.manners:
            self.broken = broke
        elif call[0] != "end":
            for after, answer in self.answers(world, call):
                node = PERSON if answer is None else self.told(world.person, answer)
                yield ("the person", call, answer), self.settled(after._replace(person=node))

    def moved(self, world: World, place: int, node: int) -> World:
        workers = sorted((*world.workers[:place], node, *world.workers[place + 1 :]))
        return self.settled(world._replace(workers=tuple(workers)))

    def settled(self, world: World) -> World:
        """Without faults nobody looks back any more."""
        return world if world.faults or world.before == world.docs else world._replace(before=world.docs)

    def answers(self, world: World, call: Call) -> Iterator[tuple[World, Answer | None]]:
        """The worlds and answers that may follow a question; no answer means that the worker was killed and begins anew."""
        kind = call[0]
        less = world._replace(faults=world.faults - 1)
        faulty = self.kinds if world.faults else frozenset()
        if "crash" in faulty:
            yield less, None
        if kind in WRITES:
            yield from self._write(world, less, call, faulty)
        elif kind in ("find", "read"):
            yield world, ("ok", shown(world.docs, call))
            if "stale" in faulty and world.before != world.docs:
                yield less, ("ok", shown(world.before, call))
            if "lost" in faulty:
                yield less, ("transient", None)
        elif world.row is None and call[0] != "intent":
            yield world, ("refused", None)
        else:
            row = committed(world.row, call)
            yield world._replace(row=row), ("ok", row)

    def _write(
        self, world: World, less: World, call: Call, faulty: frozenset[str]
    ) -> Iterator[tuple[World, Answer | None]]:
        done, answer = self.applied(world, call)
        yield done, answer
        worse = done._replace(faults=less.faults)
        if "lost" in faulty:
            yield less, ("uncertain", None)
        if "unanswered" in faulty:
            yield worse, ("uncertain", None)
        if "late" in faulty:
            later = less._replace(late=tuple(sorted((*less.late, call))))
            yield later, ("uncertain", None)
            yield later, None
        if "busy" in faulty:
            yield less, ("busy", None)
        if "said done" in faulty:
            yield less, ("ok", None)
        if "said refused" in faulty:
            yield less, ("refused", None)
            yield worse, ("refused", None)
        if call[0] == "create":
            number = world.next_number
            if "half" in faulty:
                half = self._made(less, UNFINISHED)
                yield half, ("uncertain", None)
                finishing = half._replace(late=tuple(sorted((*half.late, ("finish", number)))))
                yield finishing, ("uncertain", None)
                yield finishing, None
            if "distorted" in faulty:
                yield self._made(less, WRONG)._replace(wrong=True), ("ok", number)

    def _made(self, world: World, flags: int) -> World:
        docs = (*world.docs, (world.next_number, flags))
        return world._replace(docs=docs, before=world.docs, next_number=world.next_number + 1)

    def applied(self, world: World, call: Call) -> tuple[World, Answer]:
        """What the ERP does with a write that reaches it."""
        if call[0] == "create":
            return self._made(world, 0), ("ok", world.next_number)
        number = call[1]
        flags = dict(world.docs).get(number)
        if number == FOREIGN:
            self.broken = f"somebody else's journal was to be changed: {call[0]}"
        if flags is None or flags & IS_RELEASED or (call[0] == "finish" and not flags & UNFINISHED):
            return world, ("refused", None)
        docs = tuple(doc for doc in world.docs if doc[0] != number)
        if call[0] == "release":
            docs = tuple(sorted((*docs, (number, flags | IS_RELEASED))))
        if call[0] == "finish":
            docs = tuple(sorted((*docs, (number, flags & ~UNFINISHED))))
        return world._replace(docs=docs, before=world.docs), ("ok", None)

    def require_promises(self, world: World) -> None:
        """P01 in every state: never two, never a wrong one, and no word in the register that the books do not bear out."""
        released = [doc for doc in world.docs if doc[1] & IS_RELEASED]
        if len(released) > 1:
            self.broken = "DOUBLE: two journals are released"
        elif any(flags & (WRONG | UNFINISHED) for _, flags in released):
            self.broken = "a journal was released that is not the approved one"
        elif world.docs and world.row is None and self.manners:
            self.broken = "written before the intent was durable"
        elif world.row and world.row[0] == SEALED and [number for number, _ in released] != [int(world.row[1] or -1)]:
            self.broken = "sealed, and yet the journal of that number is not released"
        elif world.row and world.row[0] == CONFLICT and not world.wrong and not self.person:
            self.broken = "a conflict without a cause"
        elif world.row and world.row[0] == ABANDONED and released and world.faults == self.faults:
            self.broken = "released although it was given up, and nothing went wrong"

    def require_good_end(self, world: World) -> None:
        """All workers are at their end: the journal is sealed, or a person is asked for a good reason; strays can be swept (P01, P13)."""
        if world.person not in (NOBODY, PERSON) and not self.ended(world.person):
            return
        state = world.row[0] if world.row else "nothing"
        if state not in RESTING:
            self.broken = f"UNKNOWN at rest: all workers have ended and the journal is {state}"
        if state not in CLOSED:
            if world.restarts >= 3:
                self.broken = f"LOST: all workers have ended and the journal is {state}"
            return
        self.ends[state + (", strays" if len(world.docs) > 1 else "")] += 1
        if state in (SEALED, ABANDONED) and (key := (world.docs, world.row)) not in self.swept:
            self.swept.add(key)
            left, row = swept(world)
            if any(not flags & IS_RELEASED for _, flags in left):
                self.broken = f"the sweep left {left}"
            if row[0] == ABANDONED and left:
                self.broken = "LOST: given up, released, and nobody is told"

    def told_whole(self) -> str:
        """What is broken, and the steps that led there, by a second walk that keeps them."""
        how = {"looks": self.looks, "manners": self.manners, "person": self.person}
        again = Enumerator(self.workers, self.faults, self.kinds, traced=True, **how)  # type: ignore[arg-type]
        return "\n".join(map(str, (again.run().broken, *again.schedule)))

    def __str__(self) -> str:
        ends = ", ".join(f"{name}: {count:,}" for name, count in sorted(self.ends.items()))
        return (
            f"{self.workers} workers{' and a person who gives up' if self.person else ''}, up to {self.faults} faults of {len(self.kinds)} kinds: {self.states:,} states, "
            f"{self.transitions:,} transitions, {self.runs:,} runs of the engine; ends {ends}; {self.broken or 'no promise broken'}"
        )


def shown(docs: tuple[Doc, ...], call: Call) -> object:
    if call[0] == "find":
        return docs
    return next((doc for doc in docs if doc[0] == call[1]), None) if call[1] else (FOREIGN, 0)


def committed(row: tuple[str, str, str] | None, call: Call) -> tuple[str, str, str]:
    """What the register holds after a commit, by the same rules as `store.postings` (a test there holds the two together)."""
    if call[0] == "intent":
        return row or (INTENT, "", "")
    assert row or call[0] == "move"
    if row and call[0] == "hold back":
        return row if row[0] in CLOSED else (CONFLICT, row[1], "")
    if row and call[0] == "let go on":
        return (WAITING, row[1], "") if row[0] == CONFLICT else row
    if row and call[0] == "give up":
        return row if row[0] in (SEALED, ABANDONED) else (ABANDONED, row[1], "")
    _, state, number, note = call
    held = row or ("", "", "")
    if held[0] == CONFLICT or (held[0] in CLOSED and state != CONFLICT):
        return held
    return (state, number or held[1], note)


def swept(world: World) -> tuple[list[Doc], tuple[str, str, str]]:
    """What the real sweep leaves in the ERP, and in the register."""
    docs, row = dict(world.docs), world.row
    assert row
    rows = [row]

    class Books:
        def find_drafts(self) -> list[BookedJournal]:
            return [booked(doc) for doc in docs.items()]

        def find_by_reference(self, reference: str) -> list[BookedJournal]:
            return [booked(doc) for doc in docs.items()]

        def read_back(self, number: str) -> ReadJournal | None:
            return None

        def delete_draft(self, number: str) -> None:
            del docs[int(number)]

    class Rows:
        def find(self, reference: str) -> Posting:
            return Posting(DRAFT.reference, DRAFT.content_hash, *rows[-1])

        def abandoned(self) -> list[Posting]:
            return [self.find("")] if rows[-1][0] == ABANDONED else []

        def move(self, reference: str, state: str, *, number: str = "", note: str = "") -> Posting:
            rows.append(committed(rows[-1], ("move", state, number, "")))
            return self.find("")

    engine.sweep(PostingDesk(Books(), Rows(), lambda: None))  # type: ignore[arg-type]
    return list(docs.items()), rows[-1]


def enumerate_all(workers: int, faults: int, kinds: frozenset[str] = PLAIN, **limits: Any) -> Enumerator:
    return Enumerator(workers, faults, kinds, **limits).run()
