"""Every code of a failure, a stop, a flag or a reason: what it means and how to mend it."""

from ieat.pipeline.codes.code import Code, Kind
from ieat.pipeline.codes.ends import ENDS
from ieat.pipeline.codes.failures import FAILURES
from ieat.pipeline.codes.flags import FLAGS
from ieat.pipeline.codes.humdial import HUMDIAL
from ieat.pipeline.codes.renderings import RENDERINGS

HEADINGS: dict[Kind, str] = {
    "failure": "Failures: the unit is in `_dead_letters`",
    "stop": "Stops: the run ended early, finished work is kept",
    "filtered": "Filtered: left out on purpose, counted",
    "flag": "Flags: something is odd, the row is there",
    "reason": "Reasons why a row is not trainable",
    "rendering": "Renderings: what `ieat render` leaves out or changes, counted in `render.json`",
}

CODES: dict[str, Code] = FAILURES | ENDS | FLAGS | HUMDIAL | RENDERINGS


def describe_code(code: str) -> Code | None:
    """Return what a code means; null for a code of another version."""
    return CODES.get(code)


def codes_page() -> str:
    """Return docs/codes.md."""
    lines = [
        "# Codes",
        "",
        "Every code that a build writes. `ieat show OUT --failed` says the same of failures.",
    ]
    for kind, heading in HEADINGS.items():
        listed = {code: said for code, said in CODES.items() if said.kind == kind}
        if listed:
            lines += [
                "",
                f"## {heading}",
                "",
                "| code | what it means | what to do |",
                "|---|---|---|",
            ]
            lines += [
                f"| `{code}` | {said.meaning} | {said.mend} |"
                for code, said in sorted(listed.items())
            ]
    return "\n".join(lines) + "\n"
