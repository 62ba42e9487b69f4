"""What became of all that was read, with what each code means."""

from collections.abc import Iterator

from ieat.pipeline.codes import describe_code
from ieat.pipeline.output.card.markdown import share, table
from ieat.schemas.build import Manifest, UnitCounts


def funnel_lines(manifest: Manifest) -> Iterator[str]:
    """Yield the books of dialogues, turns, targets and further tables, then their codes."""
    yield (
        "Read = written + dead + filtered + not reached; a dialogue takes its turns and targets "
        "with it. A further table counts the rows that its source could give."
    )
    yield ""
    yield from table(
        ("", "read", "written", "kept", "dead", "filtered", "not reached"),
        [
            (
                name,
                counts.read,
                counts.written,
                share(counts.written, counts.read),
                counts.num_dead,
                counts.num_filtered,
                counts.num_not_reached,
            )
            for name, counts in manifest.books.by_name.items()
        ],
    )
    why = [
        (name, end, f"`{code}`", count, meaning_of(code))
        for name, counts in manifest.books.by_name.items()
        for end, code, count in _ends(counts)
    ]
    if why:
        yield ""
        yield from table(("what", "end", "code", "count", "what the code means"), why)
    parts = [
        (f"`{code}`", count, meaning_of(code))
        for name, count in sorted(manifest.codes.items())
        for unit, _, code in [name.partition(":")]
        if unit == "turn"
    ]
    if parts:
        yield ""
        yield "Labels and causes that failed for one turn; the turn and its dialogue are there:"
        yield ""
        yield from table(("code", "turns", "what the code means"), parts)


def meaning_of(code: str) -> str:
    """Return what a code means; says so where this version does not know it."""
    known = describe_code(code)
    return known.meaning if known is not None else "A code of another version."


def _ends(counts: UnitCounts) -> Iterator[tuple[str, str, int]]:
    for end, codes in (
        ("dead", counts.dead),
        ("filtered", counts.filtered),
        ("not reached", counts.not_reached),
    ):
        for code, count in sorted(codes.items()):
            yield end, code, count
