"""Every code of a failure, a stop, a flag or a reason: what it means and how to mend it."""

from typing import Literal, NamedTuple

Kind = Literal["failure", "stop", "filtered", "flag", "reason"]

HEADINGS: dict[Kind, str] = {
    "failure": "Failures: the unit is in `_dead_letters`",
    "stop": "Stops: the run ended early, finished work is kept",
    "filtered": "Filtered: left out on purpose, counted",
    "flag": "Flags: something is odd, the row is there",
    "reason": "Reasons why a row is not trainable",
}


class Code(NamedTuple):
    """What a code says to a person."""

    kind: Kind
    """Whether a unit failed, the run stopped, something is odd, or a row is not trainable."""
    meaning: str
    """What it means, one sentence."""
    mend: str
    """What a person can do, one sentence."""


CODES: dict[str, Code] = {
    "no_voice": Code(
        "reason",
        "The corpus gives words, but no voice was found in the sound of the turn.",
        "Listen to the turn; mend its times or file.",
    ),
    "answer_form": Code(
        "failure",
        "The language model's answer is JSON, but not in the form of its schema.",
        "Try a model that holds to JSON schemas, or look at the stored answer.",
    ),
    "audio_changed": Code(
        "failure",
        "The audio file is not the one that was transcribed.",
        "Build again with the file as it is now.",
    ),
    "audio_empty": Code(
        "failure",
        "The audio file holds no samples.",
        "Record or export the file again, or leave the turn out.",
    ),
    "audio_missing": Code(
        "failure",
        "The audio file does not exist or is not a file.",
        "Correct the path; relative paths start at the folder of the manifest.",
    ),
    "audio_not_finite": Code(
        "failure",
        "Many samples are not numbers or infinite.",
        "Write the file again from its source.",
    ),
    "audio_silent": Code(
        "failure",
        "The span is digital silence, every sample the same.",
        "Leave the turn out, or give its right file or times.",
    ),
    "audio_too_long": Code(
        "failure", "The remote file is larger than what is fetched.", "Cut it into smaller files."
    ),
    "audio_too_short": Code(
        "failure", "The span is too short to hold a word.", "Leave the turn out, or mend its times."
    ),
    "audio_undecodable": Code(
        "failure",
        "No decoder can read the file.",
        "Play the file elsewhere; if that works, convert it to FLAC.",
    ),
    "audio_unreachable": Code(
        "failure", "The remote file cannot be fetched.", "Check address and access, then run again."
    ),
    "bad_id": Code(
        "failure",
        "An id is empty, too long or holds control characters.",
        "Rename it in the corpus.",
    ),
    "bad_request": Code(
        "failure",
        "The engine's service refused this question as malformed.",
        "Read the message; check model and settings.",
    ),
    "withdrawn": Code(
        "filtered",
        "The people of the dialogue withdrew their consent.",
        "Nothing is to be mended; the dialogue may not be used.",
    ),
    "broken_answer": Code(
        "failure",
        "A stored transcription is not in the form of its engine.",
        "Ask again under another revision, or remove the answer from the store.",
    ),
    "broken_json": Code(
        "failure",
        "A line of the corpus, or an answer of a language model, is no valid JSON.",
        "Mend the line; for an answer, try a model that offers a JSON schema.",
    ),
    "broken_response": Code(
        "failure",
        "The service's reply is not in the form of its interface.",
        "Check that base_url names an OpenAI-compatible endpoint.",
    ),
    "broken_turn": Code(
        "failure",
        "A turn of the corpus has a form that the reader does not know.",
        "Mend the turn at the named place.",
    ),
    "call_ended": Code(
        "failure",
        "An engine was closed while it was asked.",
        "Run again; what was answered is in the store.",
    ),
    "cause_missing": Code(
        "failure",
        "The language model named no cause for a state.",
        "Try another model, or accept the missing cause.",
    ),
    "channel_missing": Code(
        "failure", "The named channel is not in the file.", "Correct the channel; the first is 0."
    ),
    "content_filtered": Code(
        "failure",
        "The service's content filter refused the question.",
        "Leave the dialogue out, or ask a service without that filter.",
    ),
    "context_too_long": Code(
        "failure",
        "The question is longer than the model can read.",
        "Lower max_context_turns, or take a model with a longer context.",
    ),
    "duplicate_id": Code(
        "failure",
        "Two dialogues of the build have the same id; both are set aside.",
        "Rename one, or give the inputs different corpus names.",
    ),
    "duplicate_key": Code(
        "failure", "A JSON object of the corpus has the same key twice.", "Keep one of them."
    ),
    "duplicate_turn": Code(
        "failure", "A dialogue has the same turn twice.", "Rename or remove one of them."
    ),
    "empty_answer": Code("failure", "A field of the answer is empty.", "Try another model."),
    "evidence_missing": Code(
        "failure",
        "The answer names a cause without a quote, of a kind that needs one.",
        "Try another model.",
    ),
    "evidence_turn_unknown": Code(
        "failure", "The answer quotes a turn that was not shown.", "Try another model."
    ),
    "excluded_by_list": Code(
        "failure",
        "The dialogue is on the exclusion list of its corpus.",
        "Change humdial.exclude or humdial.exclude_from to keep it.",
    ),
    "file_name": Code(
        "failure",
        "The name of a file does not give index and speaker.",
        "Rename the file, move it away, or set folder.pattern.",
    ),
    "future_evidence": Code(
        "failure",
        "The answer quotes a turn after the state that it explains.",
        "Try another model.",
    ),
    "invalid_dialogue": Code(
        "failure", "The corpus' record breaks a rule of dialogues.", "Mend the named field."
    ),
    "label_named": Code(
        "failure",
        "The answer speaks of a label or an annotation, which no listener hears.",
        "Try another model.",
    ),
    "line_too_long": Code(
        "failure",
        "A line of the manifest is too long.",
        "Write one dialogue a line, with audio as paths.",
    ),
    "markup": Code("failure", "The answer holds markup, a list or emoji.", "Try another model."),
    "missing_audio": Code("failure", "A turn names a channel, but no audio.", "Name the file."),
    "missing_key": Code("failure", "A key that the layout needs is missing.", "Add the key."),
    "missing_language": Code(
        "failure",
        "Nothing says which language the dialogue is in.",
        "Set language in the record or for the input.",
    ),
    "missing_times": Code(
        "failure",
        "A turn shares its audio file with others, but has no start and end.",
        "Give start and end, or `audio: null`.",
    ),
    "needs_failed_state": Code(
        "failure", "The target needs a state that failed.", "Mend what that state failed with."
    ),
    "no_audio": Code(
        "failure",
        "A folder holds no audio file; as a reason: the turn is text only.",
        "Fill the folder or remove it.",
    ),
    "no_words": Code(
        "failure",
        "A turn that the corpus gives has no words, or none were heard.",
        "Listen to the turn; mend its times, or leave it out.",
    ),
    "not_in_store": Code(
        "failure",
        "The answer to this question was never stored, and replay asks no engine.",
        "Build without replay.",
    ),
    "not_utf8": Code(
        "failure", "A line of the corpus is not UTF-8.", "Write the file again as UTF-8."
    ),
    "recognizer_language": Code(
        "failure",
        "The recognizer does not know the language of the dialogue.",
        "Choose another recognizer, such as openai:MODEL.",
    ),
    "refusal": Code("failure", "The language model declined to answer.", "Try another model."),
    "self_reference": Code(
        "failure", "A written response speaks of itself as a model.", "Try another model."
    ),
    "span_not_verbatim": Code(
        "failure", "A quote does not stand in the turn that it is from.", "Try another model."
    ),
    "span_outside_file": Code(
        "failure", "The span begins after the end of the file.", "Mend the times."
    ),
    "surrogate_leak": Code(
        "failure",
        "The answer speaks of a transcript, which no listener sees.",
        "Try another model.",
    ),
    "too_long": Code(
        "failure", "A sentence of the answer is longer than allowed.", "Try another model."
    ),
    "transcription_failed": Code(
        "failure",
        "The recognizer failed on this sound.",
        "Listen to it; if it is sound, report the message.",
    ),
    "filtered": Code(
        "failure",
        "The answer was cut off by the content filter of the service.",
        "Leave the dialogue out, or ask a service without that filter.",
    ),
    "unsupported_language": Code(
        "failure",
        "No prompts are released for this language.",
        "Leave it out, or add prompts as CONTRIBUTING.md says.",
    ),
    "user_speaker_unknown": Code(
        "failure",
        "The dialogue has no speaker of the name in user_speaker.",
        "Correct user_speaker, or use first or all.",
    ),
    "vocal_claim": Code(
        "failure",
        "The answer claims a sound, such as sobbing, that nothing measured or tagged shows.",
        "Try another model.",
    ),
    "wrong_channels": Code(
        "failure",
        "A recording has another number of channels than speakers.",
        "Set call.speakers, or use the layout manifest.",
    ),
    "wrong_language": Code(
        "failure", "The answer is not in the language of the dialogue.", "Try another model."
    ),
    "engine_unavailable": Code(
        "stop",
        "An engine still fails after its retries, or refuses the key or the model.",
        "Do what the message says, then run again; finished work is kept.",
    ),
    "budget_reached": Code(
        "stop",
        "The next call could cost more than max_usd or max_tokens leave.",
        "Raise the limit or run the same command again: what is paid is kept.",
    ),
    "store_failed": Code(
        "stop",
        "The response store cannot be read or written.",
        "Free disk space or mend access, then run again.",
    ),
    "too_many_failed": Code(
        "stop",
        "More dialogues failed than max_failed_ratio allows.",
        "Look at `ieat show OUT --failed`, mend the cause, then run again.",
    ),
    "state_unknown": Code(
        "filtered",
        "The state that would be answered is unknown, so the target has no row.",
        "Use a labeler that is surer, or lower labels.min_confidence.",
    ),
    "abstained": Code(
        "flag",
        "The labeler was too unsure to name an emotion.",
        "Use another labeler, or lower labels.min_confidence.",
    ),
    "assistant_first": Code(
        "flag", "The row begins with a turn of the one who answers.", "Nothing needs to be done."
    ),
    "audio_tag_in_words": Code(
        "flag",
        "The words themselves hold the tag that marks a clip.",
        "Check the words of the turn before training on the row.",
    ),
    "clipped": Code("flag", "Many samples are at full scale.", "Record at a lower level."),
    "concatenated": Code(
        "flag",
        "The file is several files in a row, of which the header tells the first only.",
        "Write the file again as one.",
    ),
    "damaged": Code(
        "flag",
        "Parts of the file could not be decoded and were passed over.",
        "Get an undamaged copy.",
    ),
    "dc_offset": Code(
        "flag",
        "The samples do not swing around zero.",
        "Nothing needs to be done; a high-pass filter removes it.",
    ),
    "gold_outside": Code(
        "flag",
        "The corpus' word for the emotion is outside the seven.",
        "Set labels.outside to map and give labels.emotion_map.",
    ),
    "implausible_rate": Code(
        "flag",
        "More words a second than anybody speaks.",
        "Listen to the turn: the recognizer may have made words up.",
    ),
    "labeling_failed": Code(
        "flag", "No label could be got from the words.", "See the failure of the same turn."
    ),
    "voice_failed": Code(
        "flag",
        "No label could be got from the voice; the words still count.",
        "Try the voice labeler by `ieat check`; with labels.fusion: voice it is a failure.",
    ),
    "sources_disagree": Code(
        "flag",
        "Words and voice do not name the same emotion, as labels.fusion: agree asks for.",
        "Nothing needs to be done, or set labels.fusion to weighted.",
    ),
    "label_conflict": Code(
        "flag",
        "Two sources name different emotions for the same turn.",
        "Nothing needs to be done; all labels are in the row.",
    ),
    "missing_turns": Code("flag", "The numbers of the turns have gaps.", "Look for lost files."),
    "no_evidence": Code(
        "flag", "The cause has no quote, as its kind allows.", "Nothing needs to be done."
    ),
    "no_speech": Code(
        "flag",
        "No voice was found in the sound; as a failure: in the whole recording.",
        "Listen to it; lower the threshold, or leave it out.",
    ),
    "no_speech_likely": Code(
        "flag",
        "The recognizer thinks that there is no speech, and gave words all the same.",
        "Listen to the turn.",
    ),
    "overlapping": Code(
        "flag",
        "Turns overlap in time.",
        "Nothing needs to be done; they are in order of their start.",
    ),
    "quiet": Code("flag", "The sound is very quiet.", "Record at a higher level."),
    "reordered": Code(
        "flag",
        "The corpus gave the turns in another order than that of their start or number.",
        "Check the order in the corpus.",
    ),
    "repeated_words": Code(
        "flag",
        "The same words come again and again.",
        "Listen to the turn: the recognizer may be in a loop.",
    ),
    "short": Code("flag", "The sound is very short.", "Check its times."),
    "state_gaps": Code(
        "flag", "A state before the target is unknown.", "Nothing needs to be done."
    ),
    "third_speaker": Code(
        "flag",
        "Somebody other than the two of the target speaks in the row.",
        "Nothing needs to be done.",
    ),
    "truncated": Code(
        "flag",
        "The file ends before its header says; as a failure: the answer was cut short.",
        "Get a whole copy; for an answer, raise max_tokens.",
    ),
    "unknown_task": Code(
        "flag", "The task of the dialogue cannot be told from its name.", "Set humdial.tasks."
    ),
    "wrong_header": Code(
        "flag", "The header states another length than the file has.", "Write the file again."
    ),
    "baseline_attributor": Code(
        "reason", "A cause was found by the extractive baseline.", "Set attributor to llm."
    ),
    "baseline_labeler": Code(
        "reason",
        "A state was labeled by the linear baseline.",
        "Set labeler to llm, or give the corpus' own labels.",
    ),
    "corpus_response": Code(
        "reason",
        "The answer is the corpus' own, not from the thinking: fit as explicit.",
        "Set response to written.",
    ),
    "response_without_thinking": Code(
        "reason",
        "The writer of the answer did not see the thinking: fit as explicit.",
        "Use a model that takes the thinking.",
    ),
    "unknown_emotion": Code(
        "reason",
        "The emotion of the turn is unknown.",
        "Use a labeler that is surer, or lower labels.min_confidence.",
    ),
    "unscored_words": Code(
        "reason",
        "The recognizer gives no confidence for its words.",
        "Use a recognizer that scores its words, or the corpus' own words.",
    ),
}


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
