"""Parts of installed code bases that need torch, taken out of their files to run without it."""

import ast
import enum
import json
import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import pytest


def find_package(distribution: str, package: str) -> Path:
    """Return the folder of an installed package without importing it; skips where it is not."""
    try:
        found = files(distribution) or []
    except PackageNotFoundError:
        found = []
    for file in found:
        if file.parts == (package, "__init__.py"):
            return Path(str(file.locate())).parent
    pytest.skip(f"{distribution} is not installed; pip install --no-deps {distribution}")


def take_out(file: Path, scope: dict[str, Any], *names: str) -> None:
    """Define top-level classes, functions and constants of a file, and nothing else of it.

    Hints go, and bases that are not in the scope: they name what is not there.

    Args:
        file: Where they are written.
        scope: Holds what they use, and receives them.
        names: What to take; none for all classes and functions.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    defined = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    taken = [node for node in tree.body if _name_of(node) in names] if names else defined
    assert {_name_of(node) for node in taken} >= set(names)
    for node in taken:
        for part in ast.walk(node):
            if isinstance(part, ast.FunctionDef):
                part.returns = None
                part.decorator_list = [
                    mark
                    for mark in part.decorator_list
                    if isinstance(mark, ast.Name) and mark.id in ("staticmethod", "property")
                ]
            elif isinstance(part, ast.arg):
                part.annotation = None
            elif isinstance(part, ast.AnnAssign):
                part.annotation = ast.Constant("Any")
            elif isinstance(part, ast.ClassDef):
                part.bases = [
                    base for base in part.bases if isinstance(base, ast.Name) and base.id in scope
                ]
    module = ast.fix_missing_locations(ast.Module(body=list(taken), type_ignores=[]))
    exec(compile(module, str(file), "exec"), scope)


def _name_of(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return getattr(node, "name", "")


class AbnormalError(AssertionError):
    """The code base warned that a line is not as it should be."""


class Warnings:
    """Stands in for a logger: a warning is a failure."""

    def __getattr__(self, name: str) -> Any:
        def warn(message: str, *_: Any) -> None:
            raise AbnormalError(message)

        return warn


STANDARD = {
    "json": json,
    "os": os,
    "dataclass": dataclass,
    "StrEnum": enum.Enum,
    "unique": enum.unique,
}
"""What the parts import from the standard library."""
