//! Two trails side by side.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::steps::{Fact, Step, StepKind, Trail};
use super::weight::{self, Weight};
use crate::base::Direction;

/// Two sessions aligned.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The steps of both, in the order of the first one.
    pub rows: Vec<Row>,
    /// The first difference that matters.
    pub first: Option<Divergence>,
    /// Rows in which something differs, by weight: expected, minor, matters.
    pub counts: [usize; 3],
}

impl Comparison {
    /// Whether anything that matters differs.
    pub fn matters(&self) -> bool {
        self.first.is_some()
    }
}

/// A step of both, or of one.
#[derive(Clone, Debug)]
pub struct Row {
    /// The step of the first session.
    pub a: Option<Step>,
    /// The step of the second session.
    pub b: Option<Step>,
    /// How they compare.
    pub sameness: Sameness,
    /// What differs.
    pub differences: Vec<Difference>,
    /// The heaviest difference.
    pub weight: Option<Weight>,
    /// Why it matters, if it does.
    pub reason: &'static str,
}

impl Row {
    /// The step that is there: the first session's, if both are.
    pub fn step(&self) -> Option<&Step> {
        self.a.as_ref().or(self.b.as_ref())
    }
}

/// How the two steps of a row compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// Nothing differs but what must.
    Same,
    /// Something differs.
    Different,
    /// Only the first session has it.
    OnlyA,
    /// Only the second session has it.
    OnlyB,
}

impl Sameness {
    /// `same`, `different`, `only-a` or `only-b`.
    pub fn name(self) -> &'static str {
        match self {
            Sameness::Same => "same",
            Sameness::Different => "different",
            Sameness::OnlyA => "only-a",
            Sameness::OnlyB => "only-b",
        }
    }
}

/// A fact that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// The first session's value.
    pub a: Option<String>,
    /// The second session's value.
    pub b: Option<String>,
    /// How much it matters.
    pub weight: Weight,
    /// Why; empty where it is to be expected.
    pub reason: &'static str,
}

/// The first difference that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Row number.
    pub row: usize,
    /// What differs, in a sentence.
    pub sentence: String,
    /// Minor differences before it: `connect: flashVer`, which may be its cause.
    pub before: Vec<String>,
}

/// Aligns two sessions.
pub fn compare(a: &Trail, b: &Trail) -> Comparison {
    let mut rows = Vec::new();
    // The directions interleave as the network has it: only the order within one is a choice.
    let [client, server] = Direction::BOTH.map(|side| {
        align(
            &of(a, |step| step.direction == Some(side)),
            &of(b, |step| step.direction == Some(side)),
        )
    });
    merge(client, server, &mut rows);
    let end = |step: &Step| step.direction.is_none();
    rows.extend(align(&of(a, end), &of(b, end)).into_iter().map(|(row, ..)| row));
    if !a.midstream && !b.midstream {
        timing(&mut rows);
    }
    demote(a, b, &mut rows);
    let first = divergence(&rows);
    let mut counts = [0; 3];
    for weight in rows.iter().filter_map(|row| row.weight) {
        counts[weight as usize] += 1;
    }
    Comparison { rows, first, counts }
}

/// Steps of a trail with their numbers.
fn of(trail: &Trail, wanted: impl Fn(&Step) -> bool) -> Vec<(usize, &Step)> {
    trail.steps.iter().enumerate().filter(|(_, step)| wanted(step)).collect()
}

/// A row with the numbers of its steps.
type Placed = (Row, Option<usize>, Option<usize>);

fn align(a: &[(usize, &Step)], b: &[(usize, &Step)]) -> Vec<Placed> {
    let keys = |steps: &[(usize, &Step)]| -> Vec<StepKind> {
        steps.iter().map(|(_, step)| step.kind.clone()).collect()
    };
    let mut rows: Vec<Placed> = Vec::new();
    let only = |steps: &[(usize, &Step)], first: bool, rows: &mut Vec<Placed>| {
        for (number, step) in steps {
            rows.push(match first {
                true => (lone(Some((*step).clone()), None), Some(*number), None),
                false => (lone(None, Some((*step).clone())), None, Some(*number)),
            });
        }
    };
    for op in capture_diff_slices(Algorithm::Myers, &keys(a), &keys(b)) {
        let (old, new) = (op.old_range(), op.new_range());
        let (old, new) = (a.get(old).unwrap_or_default(), b.get(new).unwrap_or_default());
        match op {
            DiffOp::Equal { .. } => {
                for ((i, a), (j, b)) in old.iter().zip(new) {
                    rows.push((pair(a, b), Some(*i), Some(*j)));
                }
            }
            _ => {
                only(old, true, &mut rows);
                only(new, false, &mut rows);
            }
        }
    }
    moved(&mut rows);
    rows
}

/// A step that stands at another place in the other session is no missing one.
fn moved(rows: &mut Vec<Placed>) {
    let mut at = 0;
    while at < rows.len() {
        let (row, ..) = &rows[at];
        let twin = match (&row.a, &row.b) {
            (Some(a), None) => rows.iter().position(|(other, ..)| {
                other.a.is_none() && other.b.as_ref().is_some_and(|b| b.kind == a.kind)
            }),
            _ => None,
        };
        let Some(twin) = twin else {
            at += 1;
            continue;
        };
        let (other, _, j) = rows.remove(twin);
        if twin < at {
            at -= 1;
        }
        let Some((row, _, place)) = rows.get_mut(at) else { return };
        *place = j;
        if let (Some(a), Some(b)) = (&row.a, &other.b) {
            let mut both = pair(a, b);
            both.differences.push(Difference {
                name: "order".into(),
                a: Some(if twin > at { "earlier" } else { "later" }.into()),
                b: Some(if twin > at { "later" } else { "earlier" }.into()),
                weight: Weight::Minor,
                reason: "another order of steps",
            });
            *row = judge(both);
        }
        at += 1;
    }
}

/// Both directions in one list: by the first session's order where it has a say, else by the
/// second's.
fn merge(client: Vec<Placed>, server: Vec<Placed>, out: &mut Vec<Row>) {
    let (mut client, mut server) = (client.into_iter().peekable(), server.into_iter().peekable());
    loop {
        let client_first = match (client.peek(), server.peek()) {
            (None, None) => return,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(c), Some(s)) => match ((c.1, c.2), (s.1, s.2)) {
                ((Some(c), _), (Some(s), _)) => c < s,
                ((_, Some(c)), (_, Some(s))) => c < s,
                // One is the first session's alone, the other the second's: by time.
                _ => at(&c.0) <= at(&s.0),
            },
        };
        let next = if client_first { client.next() } else { server.next() };
        out.extend(next.map(|(row, ..)| row));
    }
}

fn at(row: &Row) -> i64 {
    row.step().map_or(0, |step| step.at)
}

fn lone(a: Option<Step>, b: Option<Step>) -> Row {
    let sameness = if a.is_some() { Sameness::OnlyA } else { Sameness::OnlyB };
    let (weight, reason) = a.as_ref().or(b.as_ref()).map_or((Weight::Minor, ""), weight::of_step);
    Row { a, b, sameness, differences: Vec::new(), weight: Some(weight), reason }
}

fn pair(a: &Step, b: &Step) -> Row {
    let mut differences = Vec::new();
    let mut note = |name: &str, left: Option<&str>, right: Option<&str>| {
        if left == right {
            return;
        }
        let (weight, reason) = weight::of_fact(&a.kind, name, left, right);
        differences.push(Difference {
            name: name.to_owned(),
            a: left.map(str::to_owned),
            b: right.map(str::to_owned),
            weight,
            reason,
        });
    };
    // A name may come twice: nginx-rtmp's metadata of files does it.
    let nth = |facts: &[Fact], at: usize, other: &Step| -> Option<usize> {
        let name = &facts.get(at)?.name;
        let before = facts.iter().take(at).filter(|fact| fact.name == *name).count();
        let same = other.facts.iter().enumerate().filter(|(_, fact)| fact.name == *name);
        same.map(|(number, _)| number).nth(before)
    };
    let value = |step: &'_ Step, at: Option<usize>| {
        at.and_then(|at| step.facts.get(at)).map(|fact| fact.value.clone())
    };
    for (at, fact) in a.facts.iter().enumerate() {
        let twin = value(b, nth(&a.facts, at, b));
        note(&fact.name, Some(&fact.value), twin.as_deref());
    }
    for (at, fact) in b.facts.iter().enumerate() {
        if nth(&b.facts, at, a).is_none() {
            note(&fact.name, None, Some(&fact.value));
        }
    }
    judge(Row {
        a: Some(a.clone()),
        b: Some(b.clone()),
        sameness: Sameness::Same,
        differences,
        weight: None,
        reason: "",
    })
}

fn judge(mut row: Row) -> Row {
    let heaviest = row.differences.iter().rev().max_by_key(|difference| difference.weight);
    row.weight = heaviest.map(|difference| difference.weight);
    row.reason = heaviest.map_or("", |difference| difference.reason);
    row.sameness = match row.weight {
        None | Some(Weight::Expected) => Sameness::Same,
        Some(_) => Sameness::Different,
    };
    row
}

/// A step that one session reached this much later after the step before, in nanoseconds: a round
/// trip around the world and a key frame interval are less.
const SLOW: i64 = 1_000_000_000;
const VERY_SLOW: i64 = 5_000_000_000;

/// Notes where one session took its time, up to the first media.
fn timing(rows: &mut [Row]) {
    let mut before: Option<(i64, i64)> = None;
    let mut media = false;
    for row in rows {
        let (Some(a), Some(b)) = (&row.a, &row.b) else { continue };
        let is_media = matches!(a.kind, StepKind::FirstMedia(_) | StepKind::FirstKeyFrame);
        if media && !is_media {
            return;
        }
        media |= is_media;
        let (last_a, last_b) = before.replace((a.at, b.at)).unwrap_or((0, 0));
        let (took_a, took_b) = (a.at - last_a, b.at - last_b);
        let apart = (took_a - took_b).abs();
        if apart < SLOW || a.kind == StepKind::End {
            continue;
        }
        let seconds = |nanos: i64| Some(format!("{:.1} s", nanos as f64 / 1e9));
        row.differences.push(Difference {
            name: "time since the step before".into(),
            a: seconds(took_a),
            b: seconds(took_b),
            weight: if apart < VERY_SLOW { Weight::Minor } else { Weight::Matters },
            reason: "one took much longer to get here",
        });
        *row = judge(row.clone());
    }
}

/// What could have been a cause, and had no different outcome, is minor.
fn demote(a: &Trail, b: &Trail, rows: &mut [Row]) {
    let answered = |trail: &Trail| {
        trail.steps.iter().any(|step| matches!(step.kind, StepKind::Reply(_) | StepKind::Status))
    };
    let past_handshake = answered(a) && answered(b);
    let outcome = rows.iter().any(|row| {
        let kind = row.step().map(|step| &step.kind);
        row.weight == Some(Weight::Matters)
            && match kind {
                Some(StepKind::Reply(_) | StepKind::Status | StepKind::End) => true,
                Some(StepKind::Config(..) | StepKind::FirstMedia(_) | StepKind::FirstKeyFrame) => {
                    row.a.is_none() || row.b.is_none()
                }
                Some(StepKind::Command(_) | StepKind::Handshake) => {
                    row.a.is_none() || row.b.is_none()
                }
                _ => false,
            }
    });
    for row in rows {
        let harmless = match row.step().map(|step| &step.kind) {
            Some(StepKind::Handshake) => past_handshake,
            Some(StepKind::Command(name)) => name == "connect" && !outcome,
            _ => false,
        };
        if harmless && row.a.is_some() && row.b.is_some() {
            for difference in &mut row.differences {
                difference.weight = difference.weight.min(Weight::Minor);
            }
            *row = judge(row.clone());
        }
    }
}

fn divergence(rows: &[Row]) -> Option<Divergence> {
    let number = rows.iter().position(|row| row.weight == Some(Weight::Matters))?;
    let row = rows.get(number)?;
    let what = |row: &Row| {
        let step = row.step()?;
        Some(match step.direction {
            Some(Direction::ClientToServer) => format!("client: {}", step.kind.title()),
            Some(Direction::ServerToClient) => format!("server: {}", step.kind.title()),
            None => step.kind.title(),
        })
    };
    let title = what(row).unwrap_or_default();
    let sentence = match row.sameness {
        Sameness::OnlyA => format!("{title}: only in A; {}", row.reason),
        Sameness::OnlyB => format!("{title}: only in B; {}", row.reason),
        _ => {
            let heavy: Vec<String> = row
                .differences
                .iter()
                .filter(|difference| difference.weight == Weight::Matters)
                .map(|difference| {
                    let value = |value: &Option<String>| value.clone().unwrap_or("absent".into());
                    format!(
                        "{} {} in A, {} in B",
                        difference.name,
                        value(&difference.a),
                        value(&difference.b)
                    )
                })
                .collect();
            format!("{title}: {}; {}", heavy.join("; "), row.reason)
        }
    };
    let before = rows
        .iter()
        .take(number)
        .filter(|row| row.weight == Some(Weight::Minor))
        .filter_map(|row| {
            let names: Vec<&str> = row
                .differences
                .iter()
                .filter(|difference| difference.weight == Weight::Minor)
                .map(|difference| &*difference.name)
                .collect();
            let title = what(row)?;
            Some(match (row.sameness, names.is_empty()) {
                (Sameness::OnlyA, _) => format!("{title} (only in A)"),
                (Sameness::OnlyB, _) => format!("{title} (only in B)"),
                (_, true) => title,
                (_, false) => format!("{title} ({})", names.join(", ")),
            })
        })
        .collect();
    Some(Divergence { row: number, sentence, before })
}
