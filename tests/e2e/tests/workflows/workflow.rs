//! Reads the workflows: jobs, what their matrix makes of them, and their `run:` steps.

use std::collections::BTreeMap;
use std::fs;

use e2e::repository;
use serde::Deserialize;
use serde_json::Value;

/// Names and values of environment variables, or of a combination of a matrix.
pub type Variables = BTreeMap<String, String>;

#[derive(Deserialize)]
struct Workflow {
    #[serde(default)]
    env: BTreeMap<String, Value>,
    jobs: BTreeMap<String, Job>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Job {
    #[serde(default)]
    env: BTreeMap<String, Value>,
    /// A job that is another workflow runs nowhere itself.
    runs_on: Option<String>,
    #[serde(default)]
    strategy: Strategy,
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Default, Deserialize)]
struct Strategy {
    #[serde(default)]
    matrix: BTreeMap<String, Vec<Value>>,
}

#[derive(Deserialize)]
struct Step {
    name: Option<String>,
    run: Option<String>,
    shell: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, Value>,
}

/// One `run:` step, on one of the machines that the matrix of its job names.
#[derive(Debug)]
pub struct Run {
    /// The file without its ending, the job, and the step's name, as in `ci/test: make test`.
    pub name: String,
    /// Which machine it is for.
    pub machine: String,
    /// The commands.
    pub commands: String,
    /// The environment of workflow, job and step.
    pub environment: Variables,
}

/// Every `run:` step of every workflow.
pub fn runs() -> Vec<Run> {
    let folder = repository().join(".github/workflows");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut runs = Vec::new();
    for file in files {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        let workflow: Workflow = serde_saphyr::from_str(&fs::read_to_string(&file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for (id, job) in &workflow.jobs {
            for combination in combinations(&job.strategy.matrix) {
                let context = |text: &str| expand(text, &combination);
                for step in &job.steps {
                    let Some(run) = &step.run else { continue };
                    assert!(step.shell.is_none(), "{stem}/{id}: a step with a shell of its own");
                    let label = step.name.as_deref().unwrap_or(run);
                    runs.push(Run {
                        name: format!("{stem}/{id}: {label}"),
                        machine: context(job.runs_on.as_deref().unwrap()),
                        commands: context(run),
                        environment: [&workflow.env, &job.env, &step.env]
                            .into_iter()
                            .flatten()
                            .map(|(name, value)| (name.clone(), context(&text(value))))
                            .collect(),
                    });
                }
            }
        }
    }
    runs
}

/// Every combination of a matrix, or those that it lists; one that is empty without a matrix.
fn combinations(matrix: &BTreeMap<String, Vec<Value>>) -> Vec<Variables> {
    if let Some(listed) = matrix.get("include") {
        assert_eq!(matrix.len(), 1, "a matrix that is extended is not understood here");
        let variables = |combination: &Value| {
            let fields = combination.as_object().unwrap().iter();
            fields
                .map(|(name, value)| (format!("matrix.{name}"), text(value)))
                .collect()
        };
        return listed.iter().map(variables).collect();
    }
    matrix.iter().fold(vec![Variables::new()], |before, (name, values)| {
        let with = |value: &Value| {
            let added = (format!("matrix.{name}"), text(value));
            before.iter().map(move |variables| {
                let mut variables = variables.clone();
                variables.insert(added.0.clone(), added.1.clone());
                variables
            })
        };
        values.iter().flat_map(with).collect()
    })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text with the values of its expressions, `${{ … }}`.
fn expand(text: &str, matrix: &Variables) -> String {
    let mut parts = text.split("${{");
    let mut expanded = parts.next().unwrap().to_owned();
    for part in parts {
        let (expression, rest) = part.split_once("}}").expect("an expression ends");
        let expression = expression.trim();
        let known = crate::table::EXPRESSIONS.iter().find(|(name, _)| *name == expression);
        let value = matrix
            .get(expression)
            .map(String::as_str)
            .or(known.map(|(_, value)| *value));
        expanded += value.unwrap_or_else(|| panic!("tests/workflows/table.rs has no value of `{expression}`"));
        expanded += rest;
    }
    expanded
}

#[test]
#[ignore = "with the others of this file"]
fn expressions_and_matrices_are_expanded() {
    let matrix = BTreeMap::from([
        ("a".to_owned(), vec![Value::from("x"), Value::from("y")]),
        ("b".to_owned(), vec![Value::from(1), Value::from(2), Value::from(3)]),
    ]);
    let combinations = combinations(&matrix);
    assert_eq!(combinations.len(), 6, "{combinations:?}");
    let texts: Vec<String> = combinations
        .iter()
        .map(|combination| expand("${{ matrix.a }}-${{matrix.b}} on ${{ github.ref_name }}.", combination))
        .collect();
    assert!(texts.contains(&format!("y-3 on {}.", crate::table::TAG)), "{texts:?}");
}
