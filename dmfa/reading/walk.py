"""The plain shredder: a walk over lxml trees. It is the reference that any faster shredder must equal.

Comments and processing instructions are dropped by the parser, so that an element's text is whole; CDATA and character
references are resolved by it. A giant is walked one person at a time, each freed after use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl
from lxml import etree

from dmfa.reading.cells import typed
from dmfa.reading.forms import FormRows, forms_of
from dmfa.reading.parsing import forms_and_persons
from dmfa.reading.plan import Plan, TablePlan
from dmfa.reading.shredder import KEY_TYPES, Document, Shredded, join, table_types
from dmfa.schema import FORM

_PERSONS_AT_ONCE = 4_000
"""Persons of a giant held as Python rows before they become frames: about 100 MB."""


class _Node:
    """One way down to a block: where its row goes and what each element inside it means.

    Attributes:
        rows: rows of its table, shared by all ways to the block.
        counter: position of its table among the counters of ordinals.
        blanks: the empty cells of a new row.
        pick: positions of the row's ordinals in the ordinals of the way down, -1 for an ancestor of another way; None
            if they are the same.
        steps: label to the position of a cell, or to the node of a block inside.
    """

    __slots__ = ("blanks", "counter", "pick", "rows", "steps")

    def __init__(
        self, rows: list[list[int | str | None]], counter: int, table: TablePlan, way: tuple[str, ...]
    ) -> None:
        self.rows = rows
        self.counter = counter
        self.blanks: list[None] = [None] * len(table.cells)
        here = ("", *way)
        wanted = ("", *table.ordinals)
        self.pick = None if here == wanted else [here.index(name) if name in here else -1 for name in wanted]
        self.steps: dict[str, int | _Node] = {
            cell.label: position for position, cell in enumerate(table.cells, start=len(wanted))
        }


class _Walker:
    """Walks declarations into rows and turns the rows into frames.

    A row is the number of its declaration in this walk, its ordinals, then its cells as declared.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rows: list[list[list[int | str | None]]] = [[] for _ in plan.tables]
        self._declarations: list[tuple[int, int | None, int]] = []
        self._forms = FormRows(plan)
        self._top = self._node_tree(plan)
        # The same node without the persons: what is left of a giant's declaration after its persons are walked.
        self._rest = _Node(self._rows[0], 0, plan.tables[0], ())
        self._rest.steps = {label: step for label, step in self._top.steps.items() if label != plan.message.person}
        self._counters = [0] * len(plan.tables)
        self._persons = 0

    def _node_tree(self, plan: Plan) -> _Node:
        numbers = {table.label: number for number, table in enumerate(plan.tables)}
        nodes: dict[tuple[str, ...], _Node] = {}
        for path in plan.paths:
            number = numbers[path[-1]]
            way = tuple(f"{plan.tables[numbers[label]].name}_ordinal" for label in path[1:])
            node = nodes[path] = _Node(self._rows[number], number, plan.tables[number], way)
            if len(path) > 1:
                nodes[path[:-1]].steps[path[-1]] = node
        return nodes[(plan.message.top,)]

    def add_tree(self, document: Document, root: etree._Element) -> None:
        """Walk a whole tree."""
        for index, form in forms_of(root):
            self._open(form, document, index)
            declaration = form.find(self._plan.message.top)
            if declaration is not None:
                _walk(declaration, self._top, self._prefix(), self._counters)

    def add_giant(self, document: Document) -> Iterator[Shredded]:
        """Walk a giant person by person, giving out frames whenever enough rows are held."""
        persons = self._top.steps[self._plan.message.person]
        index, opened = 0, False
        for element in forms_and_persons(document.data):
            parent = element.getparent()
            form = element if element.tag == FORM or parent is None else parent.getparent()
            if not opened and form is not None:
                self._open(form, document, index)
                opened = True
            if element.tag == FORM:
                declaration = element.find(self._plan.message.top)
                if declaration is not None:
                    _walk(declaration, self._rest, self._prefix(), self._counters)
                index, opened = index + 1, False
            elif isinstance(persons, _Node):
                _walk(element, persons, self._prefix(), self._counters)
                self._persons += 1
                if self._persons % _PERSONS_AT_ONCE == 0:
                    yield self.flush()

    def _open(self, form: etree._Element, document: Document, index: int) -> None:
        key, quarter = self._forms.add(form, document.filing_id, document.sha256, index)
        self._declarations.append((key, quarter, document.filing_id))
        self._counters = [0] * len(self._plan.tables)

    def _prefix(self) -> list[int | str | None]:
        return [len(self._declarations) - 1]

    def flush(self) -> Shredded:
        """The rows held, as frames; ordinals go on where they were."""
        keys = pl.DataFrame(
            self._declarations,
            schema={name: KEY_TYPES[name] for name in ("declaration_id", "quarter", "filing_id")},
            orient="row",
        )
        tables = {
            table.name: _frame(table, rows, keys) for table, rows in zip(self._plan.tables, self._rows, strict=True)
        }
        for rows in self._rows:
            rows.clear()
        forms = self._forms.frame()
        self._forms = FormRows(self._plan)
        return Shredded(tables, forms)


def _walk(element: etree._Element, node: _Node, above: list[int | str | None], counters: list[int]) -> None:
    """Make the row of one block and of all below it."""
    number = counters[node.counter]
    counters[node.counter] = number + 1
    # The declaration itself has no ordinal: its own counter only counts.
    here = [*above, number] if node.counter else above
    pick = node.pick
    row = [*here, *node.blanks] if pick is None else [*(here[at] if at >= 0 else None for at in pick), *node.blanks]
    node.rows.append(row)
    get = node.steps.get
    for child in element:
        step = get(child.tag)
        if step.__class__ is int:
            row[step] = child.text
        elif step is not None:
            _walk(child, step, here, counters)  # type: ignore[arg-type]


def _frame(table: TablePlan, rows: list[list[int | str | None]], keys: pl.DataFrame) -> pl.DataFrame:
    types = table_types(table)
    if not rows:
        return pl.DataFrame(schema=types)
    columns = list(zip(*rows, strict=True))
    declaration = pl.Series(columns[0], dtype=pl.UInt32)
    first_cell = 1 + len(table.ordinals)
    series = [keys[name].gather(declaration) for name in ("declaration_id", "quarter", "filing_id")]
    series.append(pl.Series("version", [1], dtype=pl.Int16).new_from_index(0, len(rows)))
    series.append(pl.Series("status", [0], dtype=pl.Int8).new_from_index(0, len(rows)))
    for name, values in zip(table.ordinals, columns[1:first_cell], strict=True):
        series.append(pl.Series(name, values, dtype=pl.Int32))
    for cell, texts in zip(table.cells, columns[first_cell:], strict=True):
        series.append(typed(cell, texts))
    return pl.DataFrame(series)


def walk_documents(documents: Iterable[Document], plan: Plan) -> Shredded:
    """Shred documents by walking their trees.

    Args:
        documents: valid filings.
        plan: what to make of them.

    Raises:
        CellUnfit: a valid cell does not fit its column.
    """
    walker = _Walker(plan)
    parts: list[Shredded] = []
    for document in documents:
        if document.root is None:
            parts.extend(walker.add_giant(document))
        else:
            walker.add_tree(document, document.root)
    parts.append(walker.flush())
    return join(parts, plan)
