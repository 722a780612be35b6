"""Change the law in small ways and see whether a test notices: the share of mutants killed, and the survivors.

`python tools/mutants.py` takes the mutants of contributions/rules, contributions/algebra.py and dmfa/money.py that a
seed chooses, and runs the tests of contributions on each in a folder of its own, two at a time. What is killed is kept
in build/mutants.json: a run that was stopped goes on, survivors are tried again, and `--again` starts anew. It is no
part of CI.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import multiprocessing
import os
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from dmfa.quarter import Quarter

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("contributions/rules/*.py", "contributions/algebra.py", "dmfa/money.py")
LEFT_OUT = ("__init__.py", "registry.py")
NEEDED = ("contributions", "dmfa", "tests", "tools", "pyproject.toml")
TESTS = (
    "tests/spec/test_structural_reduction.py",
    "tests/spec/test_structural_grid.py",
    "tests/unit/contributions/test_structural_rights.py",
    "tests/unit/test_money.py",
    "tests/unit/contributions/test_algebra.py",
    "tests/unit/contributions/test_engine.py",
    "tests/unit/contributions/test_law.py",
    "tests/unit/contributions/test_pieces.py",
    "tests/unit/contributions/test_explain.py",
    "tests/unit/contributions/test_special.py",
    "tests/unit/contributions/test_wage_limit.py",
    "tests/unit/contributions/test_work_bonus.py",
    "tests/unit/contributions/test_personal_reductions.py",
    "tests/unit/contributions/test_target_groups.py",
    "tests/spec/test_contributions.py",
    "tests/spec/test_special_contributions.py",
    "tests/spec/test_company_vehicles.py",
    "tests/spec/test_work_bonus.py",
    "tests/spec/test_target_groups.py",
    "tests/property/test_special_contributions.py",
    "tests/property/test_contributions.py",
    "tests/property/test_work_bonus.py",
    "tests/property/test_target_groups.py",
)
"""In the order in which they are likely to notice, those of the same name apart: the first that fails ends it."""

SEED = 20263
MANY = 300
PROCESSES = 2

_PROFILE = """
from hypothesis import Phase, settings

settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), database=None, derandomize=True)
settings.load_profile("mutants")
"""
"""For the copy of tests/conftest.py: a failure is enough, nobody reads the smallest example of it."""

_folder = Path()

_COMPARED = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
_CALCULATED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_SWAPPED = {
    "is_null": "is_not_null",
    "is_not_null": "is_null",
    "above": "below",
    "below": "above",
    "any_horizontal": "all_horizontal",
}
_QUARTER = re.compile(r"\d{4}/[1-4]")

Change = Callable[[Any], None]


@dataclass(frozen=True)
class Mutant:
    """One small change: of a file, at a line, in words, and the whole text that results."""

    file: str
    line: int
    words: str
    text: str

    @property
    def name(self) -> str:
        """Tells it from all others, as long as the file stays as it is."""
        return sha256(f"{self.file}\n{self.text}".encode()).hexdigest()[:16]


def mutants() -> list[Mutant]:
    """Every mutant of the targets, in the order of their files."""
    found = []
    for pattern in TARGETS:
        for path in sorted(ROOT.glob(pattern)):
            if path.name not in LEFT_OUT:
                found += list(_of_file(path))
    return found


def _of_file(path: Path) -> Iterator[Mutant]:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        for words, change in _changes(node):
            changed = copy.deepcopy(tree)
            target = list(ast.walk(changed))[number]
            change(target)
            text = ast.unparse(ast.fix_missing_locations(changed))
            name = path.relative_to(ROOT).as_posix()
            yield Mutant(name, getattr(node, "lineno", 0), f"{words} in: {ast.unparse(node)[:90]}", text)


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """What can be changed in a node: words, and a function that changes a copy of it."""
    if isinstance(node, ast.Compare):
        for other in _COMPARED.get(type(node.ops[0]), ()):
            yield f"{type(node.ops[0]).__name__} -> {other.__name__}", partial(_compare, other)
    if (
        isinstance(node, ast.BinOp)
        and type(node.op) in _CALCULATED
        and not (_is_text(node.left) or _is_type(node.right))
    ):
        other = _CALCULATED[type(node.op)]
        yield f"{type(node.op).__name__} -> {other.__name__}", partial(_set, "op", other())
        if isinstance(node.op, ast.BitAnd | ast.BitOr):
            yield "right side left out", lambda n: _replace(n, n.left)
            yield "left side left out", lambda n: _replace(n, n.right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        yield "~ left out", lambda n: _replace(n, n.operand)
    if isinstance(node, ast.Constant):
        if type(node.value) is int:
            yield f"{node.value} -> {node.value + 1}", partial(_set, "value", node.value + 1)
            if node.value > 1:
                yield f"{node.value} -> {node.value - 1}", partial(_set, "value", node.value - 1)
        if isinstance(node.value, str) and _QUARTER.fullmatch(node.value):
            later = str(Quarter.parse(node.value).next)
            yield f"{node.value} -> {later}", partial(_set, "value", later)
    if isinstance(node, ast.Call):
        yield from _of_call(node)


def _of_call(node: ast.Call) -> Iterator[tuple[str, Change]]:
    if isinstance(node.func, ast.Name) and node.func.id in _SWAPPED:
        other = _SWAPPED[node.func.id]
        yield f"{node.func.id} -> {other}", lambda n, o=other: setattr(n.func, "id", o)
    if isinstance(node.func, ast.Name) and node.func.id in ("at_most", "within_zone", "above", "below"):
        yield f"{node.func.id} left out", lambda n: _replace(n, n.args[0])
    if isinstance(node.func, ast.Attribute):
        name = node.func.attr
        if name == "number":
            yield "figure + 1", lambda n: _replace(n, ast.BinOp(copy.copy(n), ast.Add(), ast.Constant(1)))
        if name in _SWAPPED:
            yield f"{name} -> {_SWAPPED[name]}", lambda n, o=_SWAPPED[name]: setattr(n.func, "attr", o)
        if name == "when":
            yield "condition turned round", lambda n: n.args.__setitem__(0, ast.UnaryOp(ast.Invert(), n.args[0]))
        if name in ("fill_null", "abs", "clip", "otherwise", "sum", "alias") and not isinstance(
            node.func.value, ast.Name
        ):
            yield f".{name} left out", lambda n: _replace(n, n.func.value)


def _is_type(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("int", "str", "None")


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _compare(other: type[ast.cmpop], node: Any) -> None:
    node.ops[0] = other()


def _set(name: str, value: object, node: Any) -> None:
    setattr(node, name, value)


def _replace(node: Any, other: Any) -> None:
    """Put another expression in the place of a node, whose own parent keeps holding it."""
    content = dict(other.__dict__)
    node.__class__ = other.__class__
    node.__dict__.clear()
    node.__dict__.update(content)


def snapshot(folder: str) -> None:
    """Put what the tests need into a folder, so that work may go on beside a long run."""
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, Path(folder, name), ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)


def prepare(base: str) -> None:
    """Give a worker process a copy of its own, and make it the place that tests are run from."""
    global _folder  # noqa: PLW0603 - a worker process has one folder for its life
    _folder = Path(tempfile.mkdtemp(dir=base))
    snapshot(str(_folder))
    with Path(_folder, "tests", "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(_PROFILE)
    os.chdir(_folder)
    sys.path.insert(0, str(_folder))
    sys.dont_write_bytecode = True
    sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends


def killed(mutant: Mutant) -> bool:
    """Whether a test fails on a mutant, or it cannot even be imported."""
    import pytest

    target = _folder / mutant.file
    before = target.read_text(encoding="utf-8")
    target.write_text(mutant.text, encoding="utf-8")
    for name in [name for name in sys.modules if name.partition(".")[0] in ("contributions", "dmfa", "tests")]:
        del sys.modules[name]
    try:
        return pytest.main(["-q", "-x", "--no-header", "-p", "no:cacheprovider", *_nearest_first(mutant.file)]) != 0
    finally:
        target.write_text(before, encoding="utf-8")


def _nearest_first(file: str) -> list[str]:
    """The tests, those named after the subject of a file first."""
    subject = "_".join(Path(file).stem.split("_")[:2]).removesuffix("s")
    return sorted(TESTS, key=lambda test: subject not in test)


def main() -> int:
    """Run what is not done yet, and print the share killed and the survivors."""
    parser = argparse.ArgumentParser(description="Mutants of the law, and the tests that notice them.")
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--again", action="store_true", help="forget what earlier runs found")
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "mutants.json")
    options = parser.parse_args()
    every = mutants()
    chosen = random.Random(SEED).sample(every, min(options.many, len(every)))  # noqa: S311 - no secret
    os.environ["POLARS_MAX_THREADS"] = "1"
    options.kept.parent.mkdir(parents=True, exist_ok=True)
    kept = {} if options.again or not options.kept.exists() else json.loads(options.kept.read_text(encoding="utf-8"))
    waiting = [mutant for mutant in chosen if not kept.get(mutant.name, {}).get("killed")]
    print(f"{len(every)} mutants, {len(chosen)} chosen, {len(waiting)} to run", flush=True)
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="mutants-") as base,
        context.Pool(PROCESSES, prepare, (base,), maxtasksperchild=50) as pool,
    ):
        same = chosen[0].file
        if pool.apply(killed, (Mutant(same, 0, "nothing changed", (ROOT / same).read_text(encoding="utf-8")),)):
            print("the tests fail without any mutant: nothing can be told")
            return 1
        for done, (mutant, gone) in enumerate(zip(waiting, pool.imap(killed, waiting), strict=True), start=1):
            told = {name: value for name, value in asdict(mutant).items() if name != "text"}
            kept[mutant.name] = {"killed": gone, **told}
            options.kept.write_text(json.dumps(kept, indent=1), encoding="utf-8")
            words = "killed" if gone else "SURVIVES"
            print(f"{done}/{len(waiting)} {words} {mutant.file}:{mutant.line} {mutant.words}", flush=True)
    survivors = [mutant for mutant in chosen if not kept[mutant.name]["killed"]]
    for mutant in survivors:
        print(f"survives: {mutant.file}:{mutant.line} {mutant.words}")
    share = 100 * (len(chosen) - len(survivors)) / len(chosen)
    print(f"killed {len(chosen) - len(survivors)} of {len(chosen)}: {share:.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
