"""Codes of the rows of HumDial's tasks: what each means and how to mend it."""

from ieat.pipeline.codes.code import Code

HUMDIAL: dict[str, Code] = {
    "needs_failed_target": Code(
        "failure",
        "The target turn of T3 has no row in `stage2`, as it failed there.",
        "See the failure of the target.",
    ),
    "t1_addition": Code(
        "failure",
        "The answer of T1 names a feeling that is not in the sequence, such as anxiety.",
        "Try another model, or ask again by --retry t1_addition.",
    ),
    "t1_omission": Code(
        "failure",
        "The answer of T1 leaves out an emotion of the sequence, often a neutral one.",
        "Try another model, or ask again by --retry t1_omission.",
    ),
    "t1_order": Code(
        "failure",
        "The answer of T1 names the emotions in another order than the sequence.",
        "Try another model, or ask again by --retry t1_order.",
    ),
    "t1_steps": Code(
        "failure",
        "The look back skips a turn of the user, or changes an emotion of the corpus.",
        "Try another model, or ask again by --retry t1_steps.",
    ),
    "t1_unclear": Code(
        "failure",
        "The emotion of a turn of the user cannot be told, so the path is not known.",
        "Give the corpus' own labels, or leave the dialogue out.",
    ),
    "t1_untied": Code(
        "failure",
        "The answer of T1 names an emotion without what happened.",
        "Try another model, or lower humdial_settings.t1_min_tied.",
    ),
    "t1_vocab_deviation": Code(
        "failure",
        "The answer of T1 uses another word for an emotion, such as excited for happy.",
        "Try another model, or ask again by --retry t1_vocab_deviation.",
    ),
    "t2_chain": Code(
        "failure",
        "The answer of T2 lacks its conclusion, its arguments or its takeaway.",
        "Try another model, or lower humdial_settings.t2_min_arguments.",
    ),
    "t2_one_turn": Code(
        "failure",
        "The causes of T2 quote one turn only, though the dialogue has more.",
        "Try another model, or ask again by --retry t2_one_turn.",
    ),
    "t2_restated": Code(
        "failure",
        "The root cause of T2 says no more than the quotes.",
        "Try another model, or raise humdial_settings.t2_max_restated.",
    ),
    "t2_untied": Code(
        "failure",
        "The answer of T2 leaves out too many of the causes.",
        "Try another model, or lower humdial_settings.t2_min_tied.",
    ),
    "t3_no_answer": Code(
        "filtered",
        "Nobody answers the target turn of T3, so there is no response.",
        "Nothing needs to be done.",
    ),
    "t3_no_target": Code(
        "filtered",
        "No turn of the user is the target of T3 by humdial_settings.t3_rule.",
        "Nothing needs to be done, or take the other rule.",
    ),
    "text_only": Code(
        "filtered",
        "The turn has no sound that could be recognized for T4.",
        "Nothing needs to be done.",
    ),
    "too_few_turns": Code(
        "filtered",
        "The user has too few turns for a path of emotions.",
        "Nothing needs to be done, or lower humdial_settings.min_turns.",
    ),
    "too_many_turns": Code(
        "filtered",
        "The user has more turns than a path in one spoken answer can tell.",
        "Raise humdial_settings.max_turns, or cut the dialogue.",
    ),
    "inference_only": Code(
        "flag",
        "The dialogue is of HumDial's test tree: a model may be run on it, nothing else.",
        "Nothing needs to be done; its rows are not trainable.",
    ),
    "no_transition": Code(
        "flag", "The emotion stays the same all the way.", "Nothing needs to be done."
    ),
    "t3_rules_differ": Code(
        "flag",
        "README and official script of T3 name different target turns.",
        "Nothing needs to be done; both are in the row.",
    ),
    "t3_unknown_states": Code(
        "flag",
        "A state of the user is unknown, so that the target turn of T3 may be another.",
        "Nothing needs to be done.",
    ),
    "held_out": Code(
        "reason",
        "The corpus forbids training on the dialogue.",
        "Nothing is to be mended; use the row to run a model on it.",
    ),
    "synthetic_question": Code(
        "reason",
        "The question comes from a list and has no sound.",
        "Give the dialogue a last turn that asks, or speak the question.",
    ),
}
