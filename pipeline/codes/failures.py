"""Codes of units that failed: what each means and how to mend it."""

from ieat.pipeline.codes.code import Code

FAILURES: dict[str, Code] = {
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
    "contaminated": Code(
        "failure",
        "Words or sound stand in a test set of the guard; the message names the set and the item.",
        "Leave it out of what is trained on; nothing is to be mended.",
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
    "emotion_shown": Code(
        "failure",
        "What the student reads gives an emotion away as data, such as `[happy]`.",
        "Take the tag out of the corpus' words or out of the own template.",
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
    "example_copied": Code(
        "failure",
        "Event or appraisal repeats an example of the prompt instead of telling of the dialogue.",
        "Try another model, or a prompt without examples.",
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
    "filtered": Code(
        "failure",
        "The answer was cut off by the content filter of the service.",
        "Leave the dialogue out, or ask a service without that filter.",
    ),
    "future_evidence": Code(
        "failure",
        "The answer quotes a turn after the state that it explains.",
        "Try another model.",
    ),
    "invalid_question": Code(
        "failure",
        "A spoken question lacks a key or has a value that does not fit.",
        "Mend the line that the message names.",
    ),
    "invalid_dialogue": Code(
        "failure", "The corpus' record breaks a rule of dialogues.", "Mend the named field."
    ),
    "label_leak": Code(
        "failure",
        "What a student is told beside the sound names an emotion, which it should hear.",
        "Take the word out of your template `instructions`.",
    ),
    "label_named": Code(
        "failure",
        "The answer or the thinking speaks of a label or an annotation, which no listener hears, "
        "or opens with the bare label; as a flag: the corpus' own answer does.",
        "Try another model; for an own template of thinking, reword it.",
    ),
    "line_too_long": Code(
        "failure",
        "A line of the manifest is too long.",
        "Write one dialogue a line, with audio as paths.",
    ),
    "markup": Code(
        "failure",
        "The answer holds markup, a list, emoji, a stage direction or a tag of thinking; as a "
        "flag: the corpus' own answer does.",
        "Try another model.",
    ),
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
    "question_without_answer": Code(
        "failure", "A spoken question has no answer.", "Write one, or leave the question out."
    ),
    "question_without_audio": Code(
        "failure",
        "A question of the table aqa has no sound.",
        "Give its line an audio, or leave it out.",
    ),
    "recognizer_language": Code(
        "failure",
        "The recognizer does not know the language of the dialogue.",
        "Choose another recognizer, such as openai:MODEL.",
    ),
    "refusal": Code(
        "failure",
        "The language model declined to answer; as a flag: the corpus' own answer reads so.",
        "Try another model.",
    ),
    "self_reference": Code(
        "failure",
        "A written response speaks of itself as a model, or of its task; as a flag: the corpus' "
        "own answer does.",
        "Try another model.",
    ),
    "span_not_verbatim": Code(
        "failure", "A quote does not stand in the turn that it is from.", "Try another model."
    ),
    "span_outside_file": Code(
        "failure", "The span begins after the end of the file.", "Mend the times."
    ),
    "surrogate_leak": Code(
        "failure",
        "The answer or the thinking speaks of a transcript, which no listener sees; as a flag: "
        "the corpus' own answer does.",
        "Try another model.",
    ),
    "tag_named": Code(
        "failure",
        "A teacher's answer repeats or mentions the tags that it was shown.",
        "Try another teacher.",
    ),
    "too_long": Code(
        "failure",
        "A sentence of the answer, or the answer, is longer than allowed; as a flag: the corpus' "
        "own answer is too long to be said in one go.",
        "Try another model, or raise checks.max_response_seconds or checks.max_sentences.",
    ),
    "transcription_failed": Code(
        "failure",
        "The recognizer failed on this sound.",
        "Listen to it; if it is sound, report the message.",
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
        "failure",
        "The answer or the thinking is not in the language of the dialogue; as a flag: the words "
        "of a turn, or the corpus' own answer.",
        "Try another model; for a turn, check the language that the corpus states.",
    ),
}
