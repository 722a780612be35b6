"""The verbs of the keys by which codes of research projects are made. DMFA_PSEUDONYM_KEYS names their file."""

from __future__ import annotations

import click

from dmfa.quarter import Quarter
from flows.options import QuarterType, options
from flows.settings import Settings


@click.group()
def keys() -> None:
    """The keys by which research projects get codes in place of numbers; DMFA_PSEUDONYM_KEYS names their file."""


@keys.command("new")
@click.argument("project")
@click.option("--from", "first", type=QuarterType(), help="The quarter from which it takes the place of the last one.")
@options()
def new_key(project: str, first: Quarter | None) -> int:
    """Make a key for PROJECT, in a file that its owner alone can read."""
    from flows.stages import projects

    return projects.make(project, Settings.gather(), first)


@keys.command("list")
@options("json")
def list_keys(as_json: bool) -> int:
    """List projects, ids of their keys, and from which quarter each codes; no key is told."""
    from flows.stages import projects

    return projects.show(Settings.gather(), as_json=as_json)


@keys.command("destroy")
@click.argument("project")
@options()
def destroy_keys(project: str) -> int:
    """Destroy all keys of PROJECT: nobody can make or trace back its codes any more."""
    from flows.stages import projects

    return projects.destroy(project, Settings.gather())
