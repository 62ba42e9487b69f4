"""Codes of what is odd about a unit that is there: what each means and what to do."""

from ieat.pipeline.codes.code import Code

FLAGS: dict[str, Code] = {
    "abstained": Code(
        "flag",
        "The labeler was too unsure to name an emotion.",
        "Use another labeler, or lower labels.min_confidence.",
    ),
    "asked_again": Code(
        "flag",
        "The first answer of the teacher broke a check; this is the second.",
        "Nothing needs to be done.",
    ),
    "assistant_first": Code(
        "flag", "The row begins with a turn of the one who answers.", "Nothing needs to be done."
    ),
    "audio_tag_in_words": Code(
        "flag",
        "The words themselves hold the tag that marks a clip.",
        "Check the words of the turn before training on the row.",
    ),
    "beyond_full_scale": Code(
        "flag",
        "Samples go beyond full scale by more than 1 dB; clips are scaled down as a whole.",
        "Nothing needs to be done; write the file at a lower level.",
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
    "label_conflict": Code(
        "flag",
        "Two sources name different emotions for the same turn.",
        "Nothing needs to be done; all labels are in the row.",
    ),
    "labeling_failed": Code(
        "flag", "No label could be got from the words.", "See the failure of the same turn."
    ),
    "mended": Code(
        "flag",
        "A few samples were no numbers and were set to silence.",
        "Write the file again.",
    ),
    "missing_turns": Code("flag", "The numbers of the turns have gaps.", "Look for lost files."),
    "narrowband": Code(
        "flag",
        "The source was sampled below 16 kHz, so the high frequencies are missing.",
        "Nothing needs to be done; record at 16 kHz or more.",
    ),
    "no_delivery": Code(
        "flag",
        "The written response has no line for a synthesizer: two in a row were of no use.",
        "Nothing needs to be done, or synthesize it by its style.",
    ),
    "noisy": Code(
        "flag",
        "The voice stands less than checks.min_snr above the noise.",
        "Listen to the turn; leave it out, or lower the limit.",
    ),
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
    "reprediction_differs": Code(
        "flag",
        "Another model, which read the cause alone, did not find the emotion that it explains.",
        "Look at the cause; verifier_settings.must_agree keeps such rows from training.",
    ),
    "reprediction_failed": Code(
        "flag",
        "The model that reads causes back gave no usable answer.",
        "Nothing needs to be done, or name another verifier.",
    ),
    "restates_evidence": Code(
        "flag",
        "The cause says hardly more than the words that it quotes.",
        "Try another model, or raise checks.max_restated.",
    ),
    "short": Code("flag", "The sound is shorter than half a second.", "Check its times."),
    "sources_disagree": Code(
        "flag",
        "Words and voice do not name the same emotion, as labels.fusion: agree asks for.",
        "Nothing needs to be done, or set labels.fusion to weighted.",
    ),
    "state_gaps": Code(
        "flag", "A state before the target is unknown.", "Nothing needs to be done."
    ),
    "teacher_thought": Code(
        "flag",
        "The teacher thought before it answered, though its thinking should be off.",
        "Set teacher_settings.thinking_off, or extra_body to what its server takes.",
    ),
    "third_speaker": Code(
        "flag",
        "Somebody other than the two of the target speaks in the row.",
        "Nothing needs to be done.",
    ),
    "too_long_clip": Code(
        "flag",
        "The sound of the turn is longer than checks.max_clip_seconds.",
        "Cut the turn, or raise the limit if the model takes longer sound.",
    ),
    "too_short": Code(
        "flag",
        "The sound of the turn is shorter than checks.min_clip_seconds.",
        "Nothing needs to be done; pass over the row if the model needs more sound.",
    ),
    "truncated": Code(
        "flag",
        "The file ends before its header says; as a failure: the answer was cut short.",
        "Get a whole copy; for an answer, raise max_tokens.",
    ),
    "unknown_task": Code(
        "flag", "The task of the dialogue cannot be told from its name.", "Set humdial.tasks."
    ),
    "voice_failed": Code(
        "flag",
        "No label could be got from the voice; the words still count.",
        "Try the voice labeler by `ieat check`; with labels.fusion: voice it is a failure.",
    ),
    "wrong_header": Code(
        "flag", "The header states another length than the file has.", "Write the file again."
    ),
}
