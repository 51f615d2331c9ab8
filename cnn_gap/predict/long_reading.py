"""The reading of a recording of minutes to days: its usual part, the alerts of all parts, and its episodes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from cnn_gap.beats.beat_list import PAUSE_S
from cnn_gap.diagnoses.classes import ClassSet, known_diagnoses
from cnn_gap.holter.beat_labels import LabelledBeats
from cnn_gap.holter.episodes import (
    BRADYCARDIA,
    KINDS,
    LARGE_WAVES,
    SURE_RUN,
    SUSTAINED_S,
    TACHYCARDIA,
    VENTRICULAR_TACHYCARDIA,
    Episode,
)
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.summary import Summary, pauses
from cnn_gap.holter.timeline import Timeline
from cnn_gap.predict.early_statements import early_statements
from cnn_gap.predict.long_parts import MOST_PARTS
from cnn_gap.reading.alerts import AlertRule, alert_rules
from cnn_gap.reading.conclusion import conclude, has_rhythm
from cnn_gap.reading.degrees import DegreeLimits
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.interpret import interpret, weakened, without_suspected
from cnn_gap.reading.reading import RATES, Degree, Reading, Sentence, Statement, kind_of
from cnn_gap.reading.statements import StatementRule, rules_for
from cnn_gap.system.timed_text import TimedText, clock

#: The key of the statement that each kind of episode makes, by its code. A slow or fast heart rate makes none:
#: it is usual in sleep and on effort.
STATEMENTS = {
    "164889003": "atrial_fibrillation",
    "164890007": "atrial_flutter",
    "426761007": "supraventricular_tachycardia",
    "10370003": "pacing",
    "27885002": "av_block_3",
    "195042002": "av_block_2",
    "270492004": "av_block_1",
    "164909002": "lbbb",
    "713427006": "rbbb",
    "11157007": "bigeminy",
    "251180001": "trigeminy",
    VENTRICULAR_TACHYCARDIA: "ventricular_run",
    "61277005": "accelerated_idioventricular",
    "49260003": "idioventricular",
    LARGE_WAVES.code: "large_waves",
}

#: The kinds of episodes that make a statement however short they are.
ANY_LENGTH = frozenset({VENTRICULAR_TACHYCARDIA, LARGE_WAVES.code})

#: The categories of rhythms. A long recording may have several rhythms, one after the other.
RHYTHMS = frozenset({"ventricular_rhythm", "rhythm"})

#: A rhythm excludes other statements from this share of the time on; a shorter one leaves time for them.
MOST_OF_THE_TIME = 0.5

#: The largest number of times, after the first one, that an alert names.
MOST_TIMES = 3

#: A part's measurements, and the statements that they make or support.
_Part = tuple[Evidence, tuple[Statement, ...]]


def read_long(
    usual: Reading, monitoring: Monitoring, parts: Sequence[Evidence], limits: DegreeLimits
) -> Reading:
    """Return the reading of a recording that lasts longer than two windows.

    Parameters
    ----------
    usual : Reading
        Of the recording's mean probabilities and the measurements of its usual part.
    monitoring : Monitoring
        Its timeline, beats and episodes.
    parts : sequence of Evidence
        The measurements of its parts.
    limits : DegreeLimits
        Of the model.
    """
    classes, timeline = monitoring.timeline.classes, monitoring.timeline
    rules = {rule.key: rule for rule in rules_for(classes)}
    episodes = [each for each in monitoring.episodes if _makes_statement(each)]
    made = _assessed(rules, _statements(rules, episodes, monitoring.summary, limits), usual)
    of_episodes = _without_imitated(rules, made, episodes)
    early = list(early_statements(rules, monitoring.beats))
    found, beside = _together(rules, of_episodes, early, usual.statements, monitoring.summary)
    statements = _in_order(rules, [*found, *beside])
    read = [(part, _measured_statements(classes, timeline, part, limits)) for part in parts]
    read += [(rates, ()) for rates in _rates_of_episodes(parts, monitoring.episodes)]
    sentences = ((rule, _alert(rule, read, statements, episodes, monitoring.beats)) for rule in alert_rules())
    alerts = tuple(Sentence(alert, kind=rule.key) for rule, alert in sentences if alert)
    conclusion, reason = usual.conclusion, usual.reason
    if found or alerts:
        conclusion, reason = conclude(statements, "", alerts)
        statements = tuple(each for each in statements if each.key != "normal")
    notes = (*_counted_notes(monitoring), *_parts_note(parts, timeline), *_usual_notes(usual, parts))
    assessed = {rules[each.key].name for each in found} | ({"rhythm"} if has_rhythm(found) else set())
    left = (each for each in usual.not_assessed if each.partition(":")[0] not in assessed)
    keys = (*(each.key for each in statements), *map(kind_of, alerts))
    return replace(
        usual,
        conclusion=conclusion,
        reason=reason,
        statements=statements,
        alerts=alerts,
        notes=notes,
        not_assessed=without_suspected(left, keys),
    )


def _statements(
    rules: dict[str, StatementRule], episodes: Sequence[Episode], summary: Summary, limits: DegreeLimits
) -> Iterator[Statement]:
    """Yield a statement for each kind of episode."""
    for code, key in STATEMENTS.items():
        own = [each for each in episodes if each.diagnosis.code == code]
        if not own:
            continue
        rule = rules[key]
        times = np.array([each.duration_s for each in own])
        probability = float(np.average([each.mean_probability for each in own], weights=times + 1e-9))
        measured = code == LARGE_WAVES.code
        foremost = _foremost(own)
        yield Statement(
            key,
            f"{rule.name}, {_share(own, foremost, summary)}",
            rule.category,
            rule.outputs,
            rule.aha,
            "present" if measured else _degree(code, rule, probability, limits),
            None if measured else probability,
            (TimedText("from ", foremost.start_s, " to ", foremost.end_s),),
            "measurement" if measured else "network",
            rule.severity,
        )


def _foremost(episodes: Sequence[Episode]) -> Episode:
    """Return the episode whose rate or length, and whose time, a statement gives.

    Of runs of wide complexes it is the fastest, of other kinds the longest.
    """
    if episodes[0].diagnosis.code == VENTRICULAR_TACHYCARDIA:
        return max(episodes, key=lambda each: each.rate_mean)
    return max(episodes, key=lambda each: each.duration_s)


def _share(episodes: Sequence[Episode], foremost: Episode, summary: Summary) -> str:
    """Return how often and how long, such as ``22% of the time, longest 3:25``; of runs, how fast."""
    if foremost.diagnosis.code == VENTRICULAR_TACHYCARDIA:
        count = len(episodes)
        return f"{count} {'times' if count > 1 else 'time'}, the fastest {foremost.rate_mean:.0f}/min"
    name = foremost.diagnosis.abbreviation
    return f"{summary.burden_of(name):.0%} of {summary.whole_of(name)}, longest {clock(foremost.duration_s)}"


def _degree(code: str, rule: StatementRule, probability: float, limits: DegreeLimits) -> Degree:
    """Return the degree of a kind of episode: probable at least from the kind's own limit on."""
    degree = limits.degree(rule.limit_key, probability)
    if degree in ("present", "probable"):
        return degree
    enters = next((kind.enters for kind in KINDS if code in (kind.code, (kind.beside or ("",))[0])), 0.5)
    return "probable" if probability >= enters else "possible"


def _without_imitated(
    rules: dict[str, StatementRule], found: Sequence[Statement], episodes: Sequence[Episode]
) -> list[Statement]:
    """Return the statements by episodes without those that others exclude during most of their time."""
    spans = {
        key: [each for each in episodes if each.diagnosis.code == code] for code, key in STATEMENTS.items()
    }

    def beside(statement: Statement) -> list[Statement]:
        return [each for each in found if _covers(spans[each.key], spans[statement.key])]

    return [each for each in found if not _is_excluded(rules, each, beside(each))]


def _covers(some: Sequence[Episode], others: Sequence[Episode]) -> bool:
    """Tell whether some episodes are present for most of the time of others."""
    pairs = ((one, other) for one in some for other in others)
    shared = (min(one.end_s, other.end_s) - max(one.start_s, other.start_s) for one, other in pairs)
    return sum(max(each, 0.0) for each in shared) >= MOST_OF_THE_TIME * sum(each.duration_s for each in others)


def _makes_statement(episode: Episode) -> bool:
    """Tell whether an episode is of a kind that makes a statement, and lasts long enough."""
    code = episode.diagnosis.code
    return code in STATEMENTS and (code in ANY_LENGTH or episode.duration_s >= SUSTAINED_S)


def _assessed(rules: dict[str, StatementRule], found: Iterable[Statement], usual: Reading) -> list[Statement]:
    """Return the statements without those that are withheld, such as by missing leads."""
    withheld = {name for name, reason, _ in (each.partition(":") for each in usual.not_assessed) if reason}
    return [each for each in found if rules[each.key].name not in withheld]


def _together(
    rules: dict[str, StatementRule],
    of_episodes: Sequence[Statement],
    early: Sequence[Statement],
    usual: Sequence[Statement],
    summary: Summary,
) -> tuple[list[Statement], list[Statement]]:
    """Return the statements that no other excludes: by episodes and early beats, and of the usual part.

    Episodes that last most of the time make a statement of the usual part that they may imitate only possible.
    """
    keys = {each.key for each in (*of_episodes, *early)}
    own = [each for each in usual if each.key not in keys]
    most = [each for each in of_episodes if _lasts(each, summary)]
    lasting = [each for each in of_episodes if each.category not in RHYTHMS or each in most]
    found = [
        *(each for each in of_episodes if not _is_excluded(rules, each, own)),
        *(each for each in early if not _is_excluded(rules, each, [*lasting, *own])),
    ]
    beside = [each for each in own if not _is_excluded(rules, each, [*lasting, *early])]
    return found, list(weakened(rules.values(), beside, most))


def _lasts(statement: Statement, summary: Summary) -> bool:
    """Tell whether the episodes that make a statement last most of the time."""
    names = [known_diagnoses()[code].abbreviation for code, key in STATEMENTS.items() if key == statement.key]
    return sum(map(summary.burden_of, names)) >= MOST_OF_THE_TIME


def _is_excluded(rules: dict[str, StatementRule], statement: Statement, others: Iterable[Statement]) -> bool:
    """Tell whether one of the others excludes a statement; a rhythm stands beside others, at other times.

    As in other readings, a statement that is only possible excludes none that is more certain, and gives way
    to a certain one that it would exclude.
    """
    if statement.category in RHYTHMS:
        return False
    possible = statement.degree == "possible"
    return any(
        (other.key in rules[statement.key].excluded_by and (possible or other.degree != "possible"))
        or (possible and other.degree != "possible" and statement.key in rules[other.key].excluded_by)
        for other in others
    )


def _in_order(rules: dict[str, StatementRule], statements: Sequence[Statement]) -> tuple[Statement, ...]:
    order = {rule.category: index for index, rule in reversed(list(enumerate(rules.values())))}
    return tuple(sorted(statements, key=lambda each: (order[each.category], -each.severity)))


def _measured_statements(
    classes: ClassSet, timeline: Timeline, part: Evidence, limits: DegreeLimits
) -> tuple[Statement, ...]:
    """Return the statements of a part that its measurements make or support."""
    within = timeline.overlapping(part.start_s, part.end_s)
    probabilities = timeline.probabilities[within].mean(axis=0)
    read = interpret(classes, probabilities, part, limits)
    return tuple(each for each in read.statements if each.origin != "network")


def _rates_of_episodes(parts: Sequence[Evidence], episodes: Sequence[Episode]) -> Iterator[Evidence]:
    """Yield the rate of each fast or slow episode that is enough for an alert which no part of it makes."""
    rules = [rule for rule in alert_rules() if rule.measure == "rate"]
    for each in episodes:
        if each.diagnosis.code not in (TACHYCARDIA.code, BRADYCARDIA):
            continue
        within = [part for part in parts if _overlap(part, each)]
        rate = Evidence(
            {"rate": each.rate_mean}, duration_s=each.duration_s, part=str(each), start_s=each.start_s
        )
        if any(rule.holds(rate, ()) and not any(rule.holds(part, ()) for part in within) for rule in rules):
            yield rate


def _overlap(one: Evidence | Episode, other: Evidence | Episode) -> bool:
    return one.start_s < other.end_s and other.start_s < one.end_s


def _alert(
    rule: AlertRule,
    parts: Sequence[_Part],
    statements: Sequence[Statement],
    episodes: Sequence[Episode],
    beats: LabelledBeats,
) -> str:
    """Return an alert with the times when it holds, empty where it never does."""
    if rule.key == "pause" and len(pauses(beats)):
        return _pause_alert(rule, beats)
    if rule.key == STATEMENTS[VENTRICULAR_TACHYCARDIA]:
        return _run_alert(rule, parts, episodes)
    own = [each for each in episodes if STATEMENTS[each.diagnosis.code] in (rule.key, *rule.statements)]
    holding = [part for part, measured in parts if rule.holds(part, measured)]
    by_network = [each for each in statements if each.origin == "network"]
    if own and (rule.key == "large_waves" or rule.holds(Evidence(), by_network)):
        spans = [TimedText(each.start_s, " to ", each.end_s) for each in own]
        return TimedText(rule.text, ", ", _listed(spans))
    if holding:
        return _measured_alert(rule, holding)
    return rule.text if rule.holds(Evidence(), by_network) else ""


def _run_alert(rule: AlertRule, parts: Sequence[_Part], episodes: Sequence[Episode]) -> str:
    """Return the alert of the longest run whose beats are surely ventricular, empty where there is none.

    A run is sure if the probability of its beats is high, or if the measurement of a part finds it, too; runs
    with a high probability come first. A run that only the measurement of a part of 30 s finds makes no alert,
    because the labels of beats use all beats of five minutes.
    """
    runs = [each for each in episodes if each.diagnosis.code == VENTRICULAR_TACHYCARDIA]
    holding = [part for part, measured in parts if rule.holds(part, measured)]
    sure = [
        each
        for each in runs
        if each.mean_probability >= SURE_RUN or any(_overlap(part, each) for part in holding)
    ]
    if not sure:
        return ""
    longest = max(sure, key=lambda each: each.weight)
    beats = round(longest.duration_s * longest.rate_mean / 60) + 1
    sentence = rule.sentence(Evidence({"run_beats": beats, "run_rate": longest.rate_mean}))
    others_s = [each.start_s for each in sure if each is not longest]
    return _dated(sentence, longest.start_s, others_s, others="other runs at")


def _pause_alert(rule: AlertRule, beats: LabelledBeats) -> str:
    """Return the alert of the longest of the pauses that the summary counts, with the time of each."""
    paused = pauses(beats)
    sentence = rule.sentence(Evidence({"longest_rr_s": float(beats.intervals_s[paused[0]])}))
    at_s, *others_s = beats.times_s[paused - 1].tolist()
    return _dated(sentence, at_s, sorted(others_s), others=f"others of {PAUSE_S:g} s or more at")


def _measured_alert(rule: AlertRule, holding: Sequence[Evidence]) -> str:
    """Return an alert by the parts in which it holds, with the values of the worst one."""
    sign = -1 if np.isfinite(rule.high) else 1
    worst = max(holding, key=lambda part: sign * part.values.get(rule.measure, 0.0))
    if not worst.part:
        return rule.sentence(worst)
    others = [part.start_s for part in _apart(worst, holding)]
    sentence = f"{rule.sentence(worst)}, in the {worst.duration_s:.0f} s"
    return _dated(sentence, worst.start_s, others, word=" from", others="other parts with this alert: from")


def _apart(first: Evidence, parts: Sequence[Evidence]) -> list[Evidence]:
    """Return the parts that overlap neither with the first one nor with each other, in order of time."""
    apart = [first]
    for part in sorted(parts, key=lambda part: part.start_s):
        if not any(_overlap(part, each) for each in apart):
            apart.append(part)
    return apart[1:]


def _dated(sentence: str, at_s: float, others_s: Sequence[float], *, word: str = ", at", others: str) -> str:
    """Return a sentence with its time, and the times of others, whose values it does not give."""
    dated = TimedText(sentence, f"{word} ", at_s)
    if not others_s:
        return dated
    return TimedText(dated, f"; {others} ", _listed([TimedText(each) for each in others_s]))


def _listed(times: Sequence[TimedText]) -> TimedText:
    """Return times, or spans of time, as a list: the first `MOST_TIMES` are named, all are held."""
    first, *others = times[:MOST_TIMES]
    further = tuple(at for each in times[MOST_TIMES:] for at in each.times_s)
    more = (f" and {len(times) - MOST_TIMES} more", further) if further else ()
    return TimedText(first, *(TimedText(", ", each) for each in others), *more)


def _counted_notes(monitoring: Monitoring) -> Iterator[str]:
    """Yield the note on the heart rates, and one on the beats within large waves, if there are such waves."""
    summary = monitoring.summary
    if not np.isnan(summary.rate_mean):
        lowest, mean, highest = summary.rate_lowest, summary.rate_mean, summary.rate_highest
        said = f"heart rate: lowest {lowest:.0f}, mean {mean:.0f}, highest {highest:.0f}/min"
        yield Sentence(said, kind=RATES)
    if monitoring.measured.large_waves.any():
        yield "beats within large waves do not count for heart rates, pauses, premature beats and runs"


def _parts_note(parts: Sequence[Evidence], timeline: Timeline) -> tuple[str, ...]:
    """Return a note on the number and choice of measured parts; none if the whole recording was measured."""
    if not parts[0].part:
        return ()
    which = " that have the most unusual beats" if len(parts) >= MOST_PARTS else ", the whole recording"
    return (f"measured for alerts: the {len(parts)} parts of {parts[0].duration_s:.0f} s{which}",)


def _usual_notes(usual: Reading, parts: Sequence[Evidence]) -> tuple[str, ...]:
    """Return the notes of the usual part.

    The note that tells which part was measured says that intervals and axis are from it.
    """
    named = {
        f"measured: {part.part}, not the whole recording": TimedText(
            f"intervals and axis: of {part.duration_s:.0f} s from ",
            part.start_s,
            " on, with the usual heart rate",
        )
        for part in parts
        if part.part
    }
    return tuple(named.get(note, note) for note in usual.notes)
