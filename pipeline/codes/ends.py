"""Codes of runs that stopped, of units left out on purpose, and of rows not fit to train on."""

from ieat.pipeline.codes.code import Code

ENDS: dict[str, Code] = {
    "budget_reached": Code(
        "stop",
        "The next call could cost more than max_usd or max_tokens leave.",
        "Raise the limit or run the same command again: what is paid is kept.",
    ),
    "engine_unavailable": Code(
        "stop",
        "An engine still fails after its retries, or refuses the key or the model.",
        "Do what the message says, then run again; finished work is kept.",
    ),
    "interrupted": Code(
        "stop",
        "A person or the system stopped the run.",
        "Run the same command again: it goes on where it was.",
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
    "near_duplicate": Code(
        "filtered",
        "The words of the dialogue are nearly those of another (`screening.json` names it).",
        "Raise near_duplicates or leave it out to keep both.",
    ),
    "state_unknown": Code(
        "filtered",
        "The state that would be answered is unknown, so the target has no row.",
        "Use a labeler that is surer, or lower labels.min_confidence.",
    ),
    "target_thinned": Code(
        "filtered",
        "The target is not among those of its emotion that keep_targets keeps.",
        "Nothing needs to be done; raise the share to keep more.",
    ),
    "withdrawn": Code(
        "filtered",
        "The people of the dialogue withdrew their consent.",
        "Nothing is to be mended; the dialogue may not be used.",
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
    "held_out_split": Code(
        "reason",
        "The question belongs to a split that measures models, such as a test set.",
        "Nothing is to be mended: it may not be trained on.",
    ),
    "no_voice": Code(
        "reason",
        "The corpus gives words, but no voice was found in the sound of the turn.",
        "Listen to the turn; mend its times or file.",
    ),
    "response_without_thinking": Code(
        "reason",
        "The writer of the answer did not see the thinking: fit as explicit.",
        "Use a model that takes the thinking.",
    ),
    "target_without_answer": Code(
        "reason",
        "The target text of a question does not say any of its answers.",
        "Mend target_text, or leave it out.",
    ),
    "unconfirmed_cause": Code(
        "reason",
        "Another model did not find the emotion again from a cause, and must_agree asks for it.",
        "Look at the cause, or set verifier_settings.must_agree to false.",
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
    "wer_above": Code(
        "reason",
        "The recognized words differ from the corpus' own by more than checks.max_word_errors.",
        "Check that sound and script belong together; use a stronger recognizer.",
    ),
}
