//! What the figures are to reach.

use serde::{Deserialize, Serialize};

use super::{Form, Load, Quantity, Route, Samples, Variant};

/// Against what a figure is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Against {
    /// A number.
    Nothing,
    /// The native build under the same runtime.
    Native,
    /// The module compiled ahead of time under the second RuntimeClass.
    OtherRuntime,
}

/// A goal for a form under the first RuntimeClass.
struct Rule {
    form: Form,
    quantity: Quantity,
    against: Against,
    limit: f64,
}

/// Whether a goal is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It is.
    Reached,
    /// It is not.
    Missed,
    /// Its figures were not measured.
    NotMeasured,
}

impl State {
    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Missed => "missed",
            Self::NotMeasured => "not measured",
        }
    }
}

/// A goal and how far from it a variant is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Goal {
    /// The figure's id.
    pub figure: String,
    /// What is to be reached.
    pub title: String,
    /// By whom.
    #[serde(rename = "contender")]
    pub variant: String,
    /// What was found: a figure, or the ratio to another's.
    pub found: Option<f64>,
    /// Whether that is enough.
    pub state: State,
    /// Where the goal lies among the figures, for charts.
    pub line: Option<f64>,
}

/// All goals: those of what `up` deploys where it can, and what the form that runs anywhere may take of memory.
pub fn goals(variants: &[Variant], samples: &Samples, replicas: i32) -> Vec<Goal> {
    let find = |form: Form, first: bool| {
        variants
            .iter()
            .find(|variant| variant.form == form && variant.first == first)
    };
    let goal = |rule: Rule| {
        let variant = find(rule.form, true)?;
        let reference = match rule.against {
            Against::Nothing => None,
            Against::Native => find(Form::Native, true),
            Against::OtherRuntime => find(Form::Aot, false),
        };
        let found = match (rule.against, reference) {
            (Against::Nothing, _) => samples.spread(rule.quantity, &variant.name),
            (_, Some(reference)) => samples.ratio(rule.quantity, &variant.name, &reference.name),
            (_, None) => None,
        };
        let found = found.map(|spread| spread.median);
        let more = rule.quantity.more_is_better();
        let line = match reference {
            Some(reference) => samples
                .spread(rule.quantity, &reference.name)
                .map(|base| base.median * rule.limit),
            None => found.map(|_| rule.limit),
        };
        Some(Goal {
            figure: rule.quantity.id(),
            title: title(&rule, replicas, more),
            variant: variant.name.clone(),
            state: match found {
                None => State::NotMeasured,
                Some(found) if (more && found >= rule.limit) || (!more && found <= rule.limit) => State::Reached,
                Some(_) => State::Missed,
            },
            found,
            line,
        })
    };
    rules().into_iter().filter_map(goal).collect()
}

fn rules() -> Vec<Rule> {
    let rule = |quantity, against, limit| Rule {
        form: Form::Elf,
        quantity,
        against,
        limit,
    };
    let mut rules = vec![
        rule(Quantity::Start, Against::OtherRuntime, 0.4),
        rule(Quantity::Start, Against::Native, 1.2),
        rule(Quantity::PodsAtOnce, Against::Native, 1.15),
        rule(Quantity::MemoryIdle, Against::Nothing, 3.0),
        Rule {
            form: Form::Aot,
            ..rule(Quantity::MemoryIdle, Against::Nothing, 5.5)
        },
    ];
    let loads: Vec<Load> = Load::all().filter(|load| load.route != Route::Write).collect();
    rules.extend(
        loads
            .iter()
            .map(|load| rule(Quantity::Rate(*load), Against::Native, 0.95)),
    );
    rules.extend(
        loads
            .iter()
            .map(|load| rule(Quantity::P99(*load), Against::Native, 1.2)),
    );
    rules.extend([
        rule(Quantity::ScaleDownFailed, Against::Nothing, 0.0),
        rule(Quantity::RolloutFailed, Against::Nothing, 0.0),
        rule(Quantity::Gone, Against::Nothing, 1.0),
    ]);
    rules
}

fn title(rule: &Rule, replicas: i32, more: bool) -> String {
    let bound = if more { '≥' } else { '≤' };
    let (limit, unit) = (rule.limit, rule.quantity.unit());
    let wanted = match rule.against {
        Against::Nothing => format!("{bound} {limit} {unit}"),
        Against::Native => format!("{bound} {limit} × native"),
        Against::OtherRuntime => format!("{bound} {limit} × the other runtime"),
    };
    format!("{} {}", rule.quantity.title(replicas), wanted.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::variants;

    #[test]
    fn goals_are_reached_missed_or_not_measured() {
        let all = variants(&["tuned".into(), "stock".into()]);
        let mut samples = Samples::default();
        for (name, start) in [("native", 10.0), ("elf", 13.0), ("aot-stock", 40.0)] {
            samples.add(Quantity::Start, name, 0, start);
        }
        samples.add(Quantity::RolloutFailed, "elf", 0, 0.0);
        let load = Load {
            route: Route::Root,
            connections: 16,
        };
        samples.add(Quantity::Rate(load), "native", 0, 100.0);
        samples.add(Quantity::Rate(load), "elf", 0, 96.0);
        let goals = goals(&all, &samples, 20);
        let state = |title: &str| goals.iter().find(|goal| goal.title.contains(title)).unwrap();
        assert_eq!(state("0.4 × the other runtime").state, State::Reached);
        assert_eq!(state("0.4 × the other runtime").line, Some(16.0));
        assert_eq!(state("first answer ≤ 1.2 × native").state, State::Missed);
        assert_eq!(state("failed in that rollout ≤ 0").state, State::Reached);
        assert_eq!(
            state("16 connections: requests per second ≥ 0.95").state,
            State::Reached
        );
        assert_eq!(state("after its drain ≤ 1 s").state, State::NotMeasured);
    }
}
