"""Lay out the report of a benchmark as lines of text."""

from collections.abc import Mapping, Sequence

from ieat.pipeline.bench.report import Report


def describe(report: Report) -> str:
    """Return a report as lines of text."""
    is_causes = report["benchmark"] == "causes"
    lines = _describe_causes(report) if is_causes else _describe_emotions(report)
    if report["asked"]:
        lines += ["", f"asked: {report['asked']}"]
    return "\n".join(lines)


def _describe_causes(report: Report) -> list[str]:
    num_causes = report["states"]
    lines = [
        f"{report['file']} ({report['format']}): {report['dialogues']} dialogues, "
        f"{report['turns']} turns, {num_causes} emotional states with a cause"
        + (" (emotions labeled, not given)" if report["emotions"] == "labeled" else "")
    ]
    lines += _notes(report["left_out"], _LEFT_OUT)
    rows = report["rows"]
    for measure, meaning in report["measures"].items():
        lines += ["", f"{measure}: {meaning}"]
        heads = ("precision", "recall", "F1", "F1, emotions weighted")
        names = ("precision", "recall", "f1", "weighted_f1")
        cells = [[_with_interval(row[measure][name]) for name in names] for row in rows]
        lines += _table(heads, [row["name"] for row in rows], cells)
    for group, title in (("by_emotion", "emotion"), ("by_kind", "kind of cause")):
        groups = rows[0][group]
        if groups:
            lines += ["", f"F1 of turns by {title}"]
            cells = [
                [str(groups[name]["states"]), *(_plain(row[group][name]["f1"]) for row in rows)]
                for name in groups
            ]
            lines += _table(("states", *(row["name"] for row in rows)), list(groups), cells)
    lines += _describe_differences(report, [f"{name}_f1" for name in report["measures"]])
    return lines + _describe_failures(report)


_LEFT_OUT = {
    "causes_of_other_emotions": "causes of neutral turns or of words outside the seven: not asked",
    "spans_not_in_their_turn": "gold spans stand in no cited turn: not counted among tokens",
    "later_turns": "gold turns lie after the state: nobody who hears up to it can cite them",
    "background_causes": "causes lie (also) outside the dialogue: nothing can be cited for that",
}


def _notes(counts: Mapping[str, int], words: Mapping[str, str]) -> list[str]:
    return [f"  {count} {words[name]}" for name, count in counts.items() if count]


def _describe_emotions(report: Report) -> list[str]:
    lines = [
        f"{report['file']} ({report['format']}): {report['dialogues']} dialogues, "
        f"{report['turns']} turns, {report['labeled_turns']} with one of the seven emotions"
    ]
    if report["words_outside"]:
        words = ", ".join(f"{word} {num}" for word, num in report["words_outside"].items())
        lines.append(f"  outside the seven, not counted: {words}")
    rows = report["rows"]
    names = ("accuracy", "macro_f1", "precision_where_answered")
    cells = [
        [*(_with_interval(row[name]) for name in names), str(row["abstained"])] for row in rows
    ]
    heads = ("accuracy", "macro-F1", "right where answered", "abstained")
    lines += ["", *_table(heads, [row["name"] for row in rows], cells)]
    groups = rows[0]["by_emotion"]
    lines += ["", "precision / recall / F1 by emotion"]
    cells = [
        [
            str(groups[name]["num"]),
            *(
                " / ".join(
                    _plain(row["by_emotion"][name][f]) for f in ("precision", "recall", "f1")
                )
                for row in rows
            ),
        ]
        for name in groups
    ]
    lines += _table(("turns", *(row["name"] for row in rows)), list(groups), cells)
    lines += _describe_differences(report, ["accuracy", "macro_f1"])
    return lines + _describe_failures(report)


def _describe_differences(report: Report, names: Sequence[str]) -> list[str]:
    lines = ["", "differences on the same resamples (an interval without 0 is a difference)"]
    cells = [
        [_with_interval(difference[name], is_signed=True) for name in names]
        for difference in report["differences"]
    ]
    titles = [f"{found['of']} - {found['against']}" for found in report["differences"]]
    heads = tuple(name.replace("_f1", " F1").replace("macro F1", "macro-F1") for name in names)
    return lines + _table(heads, titles, cells)


def _describe_failures(report: Report) -> list[str]:
    lines = []
    for row in report["rows"]:
        if row["failed"]:
            codes = ", ".join(f"{code} {num}" for code, num in sorted(row["failed"].items()))
            lines.append(f"without an answer, counted as missed: {row['name']}: {codes}")
    return ["", *lines] if lines else []


def _table(heads: Sequence[str], names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a row a name, columns as wide as their longest cell."""
    first = max((len(name) for name in names), default=0)
    widths = [
        max(len(head), *(len(row[place]) for row in cells)) if cells else len(head)
        for place, head in enumerate(heads)
    ]

    def line(name: str, row: Sequence[str]) -> str:
        padded = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        return f"  {name.ljust(first)}  {'  '.join(padded)}"

    return [line("", heads), *(line(name, row) for name, row in zip(names, cells, strict=True))]


def _plain(found: Mapping[str, float | None]) -> str:
    value = found["value"]
    return "-" if value is None else _short(value)


def _with_interval(found: Mapping[str, float | None], *, is_signed: bool = False) -> str:
    value, low, high = found["value"], found["low"], found["high"]
    if value is None or low is None or high is None:
        return "-"
    return f"{_short(value, is_signed)} [{_short(low, is_signed)}, {_short(high, is_signed)}]"


def _short(value: float, is_signed: bool = False) -> str:
    """Write three decimals without the leading zero, as figures of this kind are."""
    text = f"{value:{'+' if is_signed else ''}.3f}"
    return text.replace("0.", ".", 1) if abs(value) < 0.9995 else text
