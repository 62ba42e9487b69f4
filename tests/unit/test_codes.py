"""Every code that the source files write is explained, and every explained code is written."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ieat.pipeline.codes import CODES, describe_code

REPOSITORY = Path(__file__).parents[2]
CODE = re.compile(
    r"[a-z]+[0-9]?(_[a-z0-9]+)+|interrupted|truncated|damaged|concatenated|clipped|narrowband|mended|overlapping|quiet|reordered|short|filtered|refusal|markup"
)
FAILURES = {
    "BadAudio",
    "BadInput",
    "ConfigError",
    "EngineUnavailable",
    "Filtered",
    "NotInStore",
    "RecordError",
    "RunStopped",
    "SilentTurn",
    "Stop",
    "UnusableAnswer",
    "stop",
}
LISTS = ("flags", "reasons")


def name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def strings_in(node: ast.expr) -> Iterator[str]:
    """Strings that are values: not those that are compared, called or subscripted with."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for part in node.elts:
            yield from strings_in(part)
    elif isinstance(node, ast.IfExp):
        yield from (*strings_in(node.body), *strings_in(node.orelse))
    elif isinstance(node, ast.BinOp):
        yield from (*strings_in(node.left), *strings_in(node.right))
    elif isinstance(node, ast.Starred):
        yield from strings_in(node.value)


def codes_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = name_of(node.func)
            if called in FAILURES and node.args:
                yield from strings_in(node.args[0])
            owner = name_of(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            if called in ("add", "append") and owner.endswith(LISTS):
                yield from strings_in(node.args[0])
            for keyword in node.keywords:
                if keyword.arg in ("code", *LISTS):
                    yield from strings_in(keyword.value)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in LISTS:
                    yield from strings_in(value)
        elif isinstance(node, ast.Assign | ast.AugAssign):
            target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
            if name_of(target).lower().endswith(LISTS):
                yield from strings_in(node.value)
        elif isinstance(node, ast.arguments):
            defaults = dict(zip(reversed(node.args), reversed(node.defaults), strict=False))
            for argument, default in defaults.items():
                if argument.arg == "code":
                    yield from strings_in(default)


def written_codes() -> dict[str, str]:
    """Return each code in the source files with one file that writes it."""
    written = {}
    for file in sorted((REPOSITORY / "pipeline").rglob("*.py")):
        for code in codes_in(ast.parse(file.read_text(encoding="utf-8"))):
            if CODE.fullmatch(code):
                written[code] = file.name
    return written


def test_the_source_files_write_codes() -> None:
    assert {"audio_missing", "not_in_store", "truncated"} <= set(written_codes())


def test_every_written_code_is_explained() -> None:
    missing = {code: file for code, file in written_codes().items() if code not in CODES}
    assert missing == {}, "explain them in pipeline/codes.py, then run `make golden`"


def test_every_explained_code_is_written_somewhere() -> None:
    source = "\n".join(
        file.read_text(encoding="utf-8")
        for file in (REPOSITORY / "pipeline").rglob("*.py")
        if file.name != "codes.py"
    )
    assert [code for code in CODES if f'"{code}"' not in source] == []


def test_explanations_are_sentences() -> None:
    for code, said in CODES.items():
        assert said.meaning.endswith("."), code
        assert said.mend.endswith("."), code


def test_a_code_of_another_version_has_no_explanation() -> None:
    assert describe_code("a_code_to_come") is None
