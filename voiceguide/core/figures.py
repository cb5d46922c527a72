"""Every figure that the core goes by, in seconds where nothing else is said, each with its source or reason.

Law: no other file of `core/` holds a number of its own (a test reads them).
"""

from __future__ import annotations

from collections.abc import Mapping

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK_DAYS = 7
ROUNDING = 0.5  # a time that was said back to the minute is not another one for this much

# domain 8: break_min / default / max [G3][G4]
PAUSE_SHORTEST = 20 * MINUTE
PAUSE_DEFAULT = 25 * MINUTE
PAUSE_LONGEST = DAY
# "ten more minutes" is what people ask for (domain 1.5); the body already had its twenty.
EXTENSION_SHORTEST = 10 * MINUTE
# domain 8: break_extension [G19]; each rung is named aloud, none is forced.
EXTENSION_LADDER = (20 * MINUTE, HOUR, 4 * HOUR, DAY)

REMINDER_BEFORE = 2 * MINUTE  # domain 8: return_reminders
CALLS_AFTER = (5 * MINUTE, 15 * MINUTE)  # after the call on time
LATE_AFTER = 30 * MINUTE  # design 3: nobody's quarrel is announced to a dark house

BEAT = 5.0  # domain 2.1: 5, 10 and 15 s worked equally
BEAT_MORE = 5.0
BEAT_LONGEST = 15.0

REPLY_WAIT = 10.0  # domain 8: reply_wait / reprompts
REPROMPTS = 2
SPEECH_GRACE = 30.0  # somebody began to speak: how long a no-input clock stays away without an utterance
HOLD_CHECK = 90.0  # "wait": when the guide says once that it is still there
HOLD_LONGEST = 5 * MINUTE  # and then proposes a pause, so that nothing is left without an end

TURN = 2 * MINUTE  # domain 8: speaker_chunk / mirror, advisory
TURN_QUIET = 6.0  # silence after something was said that ends a turn
BARE_LONGEST = 3.0  # in less nobody tells anything; longer sound without words is somebody who was not understood
TURN_EMPTY = 20.0  # silence in a turn in which nothing was said yet
HINTS = 2  # mission R1: at most two rephrasings in a talk, then accepted
DICTATED_LONGEST = 240  # characters: what is kept must fit one breath when it is read back
PROMISES_STANDING = 12
PROMISES_TOLD = 3  # read aloud in one go; more cannot be taken in
CHECKIN_HOUR = 19  # local, until the couple names another: after supper, before bed
DECENT_HOURS = (8, 21)  # local hours in which the guide may speak first
OBJECTIONS_ANSWERED = 2  # the same kind sentence twice; more would be arguing

BREATH_IN = 4.0  # domain 1.6: long out-breaths, about five minutes
BREATH_OUT = 6.0
BREATHS = 30

PATIENT_FACTOR = 2.0  # the "more time" setting doubles every wait
STEPS_REMEMBERED = 20  # how far "go back" can go

STIRRED_UP = 7  # of ten, when they come back: then the wording says that more time is fine

# -- signs of overwhelm, and when they earn a question (fusion.py) ------------------------------------------------------------
CUE_WINDOW = 60.0  # domain 8: cue_window
OFFER_REST = 600.0  # domain 8: false-pause budget, at most one in ten minutes
LEAST_CONFIDENCE = 0.3  # below it a detector is guessing
SURE_ENOUGH = 0.92  # of words that may mean a pause: from here on worth the question by themselves (once in 8 h of phone talk)
REPEATED_BAR = 1.5  # after an offer, until a calm minute, it takes this much more to ask again
SIGNS_KEPT = 32  # a bound for the snapshot; a minute of quarrel has fewer
# How much evidence must come together. "normal" is two good signs; one very sure sign reaches none of them.
BARS: Mapping[str, float] = {"less": 1.5, "normal": 1.25, "more": 0.8}
# What a sure sign of a kind weighs. Own overwhelm weighs most (it is what a pause is for); plain heat, defence and
# withdrawal are common in harmless talk (1 of 32 hits of "you always" was real: the project's own count on phone talk).
WEIGHTS: Mapping[str, float] = {
    "pause.suggested": 1.0,  # words that may mean a pause: with one more sign beside them worth the question
    "flooding.explicit": 1.0,
    "flooding.body": 1.0,
    "contempt": 0.9,
    "escalation": 0.8,
    "criticism": 0.6,
    "withdrawal": 0.6,
    "defence": 0.5,
    "voice.raised": 0.7,
    "voice.fast": 0.4,
    "turns": 0.5,
}
OTHER_WEIGHT = 0.5
