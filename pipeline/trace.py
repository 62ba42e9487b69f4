"""Show a build in the terminal: its dialogues, one dialogue's trace, its failures."""

import shlex
from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from ieat.pipeline.built import Build
from ieat.pipeline.codes import describe_code
from ieat.pipeline.page import Page, printable
from ieat.pipeline.run_report import recount_run
from ieat.schemas.build import UnitCounts
from ieat.schemas.cells import CauseCell, EvidenceCell, ProvenanceCell, ShiftCell, TurnCell
from ieat.schemas.emotion import Emotion
from ieat.schemas.rows import DeadLetterRow, DialogueRow, Stage2Row

# Of a width that every terminal agrees on: none of them is "ambiguous" in Unicode's table.
GLYPHS: dict[Emotion, str] = {
    Emotion.HAPPY: "▴",
    Emotion.SAD: "▾",
    Emotion.ANGER: "✶",
    Emotion.FEAR: "∿",
    Emotion.NEUTRAL: "-",
    Emotion.SURPRISE: "!",
    Emotion.DISGUST: "✕",
}
LETTERS: dict[Emotion, str] = {
    Emotion.HAPPY: "H",
    Emotion.SAD: "S",
    Emotion.ANGER: "A",
    Emotion.FEAR: "F",
    Emotion.NEUTRAL: "-",
    Emotion.SURPRISE: "!",
    Emotion.DISGUST: "D",
}
STYLES: dict[Emotion, str] = {
    Emotion.HAPPY: "green",
    Emotion.SAD: "blue",
    Emotion.ANGER: "red",
    Emotion.FEAR: "magenta",
    Emotion.NEUTRAL: "dim",
    Emotion.SURPRISE: "yellow",
    Emotion.DISGUST: "cyan",
}
ARROWS = {"better": "↗", "worse": "↘", "level": "→"}
PLAIN_ARROWS = {"better": "/", "worse": "\\", "level": ">"}
UNKNOWN = "?"

MAX_SPEAKER = 16
"""Most columns of a speaker's name."""

STEP = 3
"""Columns of one turn in the line of a trajectory: arrow, glyph, gap."""


def show_build(out: str, console: Console) -> None:
    """List the dialogues of a build, one line each.

    Raises:
        ConfigError: The folder holds no build.
    """
    build = Build(out)
    page = Page(console)
    page.write(out, style="bold")
    manifest = build.manifest()
    if manifest is None:
        page.write("manifest.json is not there: the build has not ended", style="yellow", indent=2)
    else:
        for name, counts in manifest.books.by_name.items():
            page.field(name, _describe_counts(counts))
        for name, told in recount_run(build.run()):
            page.field(name, told)
        page.field("card", f"{out.rstrip('/')}/README.md")
    page.skip()
    modes = build.target_modes()
    rows = sorted(build.dialogues(), key=lambda row: row.dialogue_id)
    if rows:
        _list_dialogues(page, rows, modes)
        page.skip()
        _write_legend(page, {turn.emotion for row in rows for turn in row.turns})
        page.command(
            "One dialogue:", f"ieat show {shlex.quote(out)} {shlex.quote(rows[0].dialogue_id)}"
        )
    if manifest is None or manifest.num_rows("_dead_letters"):
        page.command("What failed:", f"ieat show {shlex.quote(out)} --failed")


def _describe_counts(counts: UnitCounts) -> str:
    parts = [f"{counts.read} read", f"{counts.written} written"]
    for name, codes in (
        ("failed", counts.dead),
        ("filtered", counts.filtered),
        ("not reached", counts.not_reached),
    ):
        if codes:
            said = ", ".join(f"{count} {code}" for code, count in sorted(codes.items()))
            parts.append(f"{sum(codes.values())} {name} ({said})")
    return ", ".join(parts)


def _list_dialogues(
    page: Page, rows: Sequence[DialogueRow], modes: dict[str, tuple[int, int]]
) -> None:
    width = max(len("dialogue"), *(page.cells(row.dialogue_id) for row in rows))
    width = min(width, page.width // 2)
    page.row(
        [("dialogue", width), ("turns", -5), ("causes", -6), ("targets", -7), ("fit", -4)],
        "emotion of each turn",
        style="dim",
    )
    for row in rows:
        total, fit = modes.get(row.dialogue_id, (0, 0))
        glyphs = Text()
        for turn in row.turns:
            glyphs.append_text(_glyph(page, turn.emotion))
        page.row(
            [
                (row.dialogue_id, width),
                (str(len(row.turns)), -5),
                (str(len(row.causes)), -6),
                (str(total), -7),
                (str(fit), -4),
            ],
            glyphs,
        )


def show_dialogue(out: str, dialogue_id: str, console: Console) -> None:
    """Show all that a build knows of one dialogue, in the order in which it was found out.

    Raises:
        ConfigError: The folder holds no build, or the build no such dialogue.
    """
    build = Build(out)
    row = build.dialogue(dialogue_id)
    targets = build.targets(dialogue_id)
    page = Page(console)
    _write_head(page, row)
    _write_turns(page, row)
    _write_trajectory(page, row)
    _write_causes(page, row)
    _write_targets(page, targets)
    _write_failures(page, build.dead_letters(dialogue_id))
    _write_engines(page, [row.provenance, *(target.provenance for target in targets)])


def _write_head(page: Page, row: DialogueRow) -> None:
    sounds = [turn.audio.duration for turn in row.turns if turn.audio is not None]
    facts = [row.language.value, row.split, f"{len(row.turns)} turns"]
    facts.append(f"{sum(sounds):.1f} s of sound" if sounds else "no sound")
    page.write(row.dialogue_id, style="bold")
    page.write(", ".join(facts) + f"; license: {row.license or 'not stated'}")
    page.write(f"from {row.source}", style="dim")
    if row.flags:
        page.write(f"flags: {', '.join(row.flags)}", style="yellow")


def _write_turns(page: Page, row: DialogueRow) -> None:
    page.heading("Turns")
    lines = [
        (
            str(turn.turn_index),
            turn.speaker,
            f"{turn.audio.start_sample / turn.audio.source_rate:.1f}" if turn.audio else "",
            f"{turn.audio.duration:.1f}" if turn.audio else "",
            turn.emotion.value if turn.emotion else "unknown",
        )
        for turn in row.turns
    ]
    names = ("", "speaker", "start", "seconds", "emotion")
    widths = [
        max(page.cells(cell) for cell in column) for column in zip(names, *lines, strict=True)
    ]
    widths = [-widths[0], min(widths[1], MAX_SPEAKER), -widths[2], -widths[3], widths[4] + 2]
    page.row(list(zip(names, widths, strict=True)), "words", style="dim")
    for turn, (*cells, emotion) in zip(row.turns, lines, strict=True):
        marked = Text.assemble(_glyph(page, turn.emotion), f" {emotion}")
        page.row(
            list(zip((*cells, marked), widths, strict=True)),
            turn.clean or Text("(nothing was heard)", style="dim"),
            below=_remarks(turn),
        )


def _remarks(turn: TurnCell) -> list[str]:
    remarks = []
    if turn.conflict:
        labels = [label for label in (turn.gold, turn.text, turn.voice) if label and label.emotion]
        said = [f"{label.source} says {label.emotion.value}" for label in labels if label.emotion]
        remarks.append("conflict: " + ", ".join(said))
    if turn.cues is not None and turn.cues.words:
        remarks.append("voice: " + ", ".join(turn.cues.words) + " than before")
    if turn.flags:
        remarks.append("flags: " + ", ".join(turn.flags))
    return remarks


def _write_trajectory(page: Page, row: DialogueRow) -> None:
    page.heading("Trajectory")
    speakers = list(dict.fromkeys(turn.speaker for turn in row.turns))
    width = min(MAX_SPEAKER, max(page.cells(speaker) for speaker in speakers))
    room = max(1, (page.width - 2 - width - 2) // STEP)
    shifts = {(shift.speaker, shift.turn_index): shift for shift in row.shifts}
    for first in range(0, len(row.turns), room):
        turns = row.turns[first : first + room]
        page.row([("", width)], "".join(f"{turn.turn_index:>2} " for turn in turns), style="dim")
        for speaker in speakers:
            line = Text()
            for turn in turns:
                if turn.speaker != speaker:
                    line.append(" " * STEP)
                    continue
                line.append_text(_arrow(page, shifts.get((speaker, turn.turn_index))))
                line.append_text(_glyph(page, turn.emotion))
                line.append(" ")
            page.row([(speaker, width)], line)
    for shift in row.shifts:
        line = Text(f"{printable(shift.speaker)}: turn {shift.from_turn} to {shift.turn_index}, ")
        line.append(shift.from_emotion.value, STYLES[shift.from_emotion])
        line.append_text(Text.assemble(" ", _arrow(page, shift), " "))
        line.append(shift.to_emotion.value, STYLES[shift.to_emotion])
        line.append(f" ({shift.direction})")
        page.write(line, indent=2)
    _write_legend(page, {turn.emotion for turn in row.turns})


def _write_legend(page: Page, seen: set[Emotion | None]) -> None:
    arrows = ARROWS if page.is_unicode else PLAIN_ARROWS
    parts = [
        Text.assemble(_glyph(page, emotion), f" {emotion.value}")
        for emotion in Emotion
        if emotion in seen
    ]
    if None in seen:
        parts.append(Text(f"{UNKNOWN} unknown"))
    page.write(Text(", ").join(parts), style="dim", indent=2)
    turns = ", ".join(f"{arrow} {name}" for name, arrow in arrows.items())
    page.write(turns, style="dim", indent=2)


def _write_causes(page: Page, row: DialogueRow) -> None:
    page.heading("Causes")
    if not row.causes:
        page.write("none", style="dim", indent=2)
    turns = {turn.turn_index: turn for turn in row.turns}
    for cause in row.causes:
        head = Text(f"turn {cause.turn_index}, {printable(cause.speaker)}: ")
        head.append_text(_glyph(page, cause.emotion))
        head.append(f" {cause.emotion.value}", STYLES[cause.emotion])
        if cause.intensity:
            head.append(f", {cause.intensity.value}")
        head.append(f" ({cause.kind.value})")
        page.write(head, indent=2)
        _write_cause(page, cause, turns)


def _write_cause(page: Page, cause: CauseCell, turns: dict[int, TurnCell]) -> None:
    page.field("event", cause.event)
    page.field("appraisal", cause.appraisal or Text("none was inferred", style="dim"))
    for evidence in cause.evidence:
        lead = f"{evidence.turn_index} {evidence.speaker}: "
        page.field("quote", mark_quote(evidence, turns.get(evidence.turn_index)), lead)
    if not cause.evidence:
        page.field("quote", Text(f"none: a {cause.kind.value} cause needs none", style="dim"))
    _write_trust(page, cause)


def _write_trust(page: Page, cause: CauseCell) -> None:
    """Say how many of several answers agree, and what a verifier found."""
    if cause.agreement is not None:
        page.field("agreement", f"{cause.agreement:.0%} of the answers")
    if cause.agrees is not None:
        emotion = cause.repredicted.value if cause.repredicted else "unclear"
        page.field("read back", Text(emotion, style="green" if cause.agrees else "yellow"))


def mark_quote(evidence: EvidenceCell, turn: TurnCell | None) -> Text:
    """Return the quoted turn's text with the quote between brackets at its stored offsets."""
    line = Text()
    words = "" if turn is None else turn.clean
    if words[evidence.start : evidence.end] != evidence.quote:
        line.append(printable(evidence.quote), "bold red")
        line.append(f" (not at {evidence.start}-{evidence.end} of the turn's words)", "red")
        return line
    line.append(printable(words[: evidence.start]))
    # Stored text has no square brackets: those are kept for tags, which it is free of.
    line.append(f"[{printable(evidence.quote)}]", "bold underline")
    line.append(printable(words[evidence.end :]))
    return line


def _write_targets(page: Page, targets: Sequence[Stage2Row]) -> None:
    page.heading("Targets")
    if not targets:
        page.write("none", style="dim", indent=2)
    for row in targets:
        who = f"{printable(row.answering_speaker)} answers {printable(row.user_speaker)}"
        page.write(f"turn {row.turn_index}: {who}", indent=2)
        page.field("thinking", row.thinking.text)
        style = f", {row.response.style.value}" if row.response.style else ""
        page.field("response", f"{row.response.text} ({row.response.source}{style})")
        if row.response.delivery:
            page.field("delivery", row.response.delivery)
        modes = row.trainable
        fit = [
            name
            for name, is_fit in (
                ("explicit", modes.explicit),
                ("injected", modes.injected),
                ("implicit", modes.implicit),
            )
            if is_fit
        ]
        line = Text(", ".join(fit) if fit else "no", style="green" if fit else "yellow")
        if modes.reasons:
            line.append(f"; against it: {', '.join(modes.reasons)}")
        page.field("trainable", line)
        if row.flags:
            page.field("flags", ", ".join(row.flags))


def _write_failures(page: Page, letters: Sequence[DeadLetterRow]) -> None:
    if not letters:
        return
    page.heading("Failed")
    for letter in letters:
        page.write(f"{letter.unit} {letter.unit_id}: {letter.code}", style="red", indent=2)
        page.write(letter.message, indent=4)


def _write_engines(page: Page, parts: Sequence[ProvenanceCell]) -> None:
    page.heading("Made with")
    for name in ("recognizer", "labeler", "attributor", "verifier", "writer"):
        ids = sorted({engine for part in parts if (engine := getattr(part, f"{name}_id"))})
        if ids:
            page.field(name, ", ".join(ids))
    prompts = sorted({prompt for part in parts for prompt in part.prompt_ids})
    page.field("prompts", ", ".join(prompts) if prompts else "none")


def show_failed(out: str, console: Console) -> None:
    """List the failures of a build by code, each code with what it means and how to mend it.

    Raises:
        ConfigError: The folder holds no build.
    """
    letters = Build(out).dead_letters()
    page = Page(console)
    if not letters:
        page.write(f"{out}: nothing failed")
        return
    by_code = {
        code: list(group)
        for code, group in groupby(
            sorted(letters, key=lambda letter: (letter.code, letter.row_id)),
            key=lambda letter: letter.code,
        )
    }
    page.write(f"{out}: {len(letters)} failures", style="bold")
    for code, group in sorted(by_code.items(), key=lambda item: (-len(item[1]), item[0])):
        known = describe_code(code)
        page.heading(f"{code}: {len(group)}")
        if known is not None:
            page.write(known.meaning, indent=2)
            page.write(f"To mend it: {known.mend}", indent=2)
        for letter in group:
            page.skip()
            page.write(f"{letter.unit} {letter.unit_id}, in {letter.stage}", indent=2)
            page.write(f"from {letter.source}", style="dim", indent=4)
            page.write(letter.message, indent=4)


def _glyph(page: Page, emotion: Emotion | None) -> Text:
    if emotion is None:
        return Text(UNKNOWN, style="dim")
    return Text((GLYPHS if page.is_unicode else LETTERS)[emotion], style=STYLES[emotion])


def _arrow(page: Page, shift: ShiftCell | None) -> Text:
    if shift is None:
        return Text(" ")
    style = {"better": "green", "worse": "red", "level": "yellow"}[shift.direction]
    return Text((ARROWS if page.is_unicode else PLAIN_ARROWS)[shift.direction], style=style)
