use super::*;

fn source(pod: &str, state: State) -> Source {
    Source {
        pod: pod.into(),
        container: "c".into(),
        state,
    }
}

fn running(pod: &str, run: &str) -> Source {
    source(
        pod,
        State::Written {
            run: run.into(),
            running: true,
        },
    )
}

fn ended(pod: &str, run: &str) -> Source {
    source(
        pod,
        State::Written {
            run: run.into(),
            running: false,
        },
    )
}

fn key(pod: &str) -> Key {
    (pod.into(), "c".into())
}

fn opened(follow: &mut Follow) -> Vec<String> {
    follow
        .take_openings()
        .into_iter()
        .map(|opening| opening.key.0)
        .collect()
}

fn time(second: i64) -> Option<Timestamp> {
    Some(Timestamp::from_second(second).unwrap())
}

#[test]
fn each_run_is_read_once_whatever_the_watch_says_meanwhile() {
    let mut follow = Follow::new(9);
    follow.update_pod(vec![running("p", "1")]);
    assert_eq!(
        follow.take_openings(),
        [Opening {
            key: key("p"),
            run: "1".into(),
            first: true,
            after: None
        }]
    );
    assert!(follow.read(&key("p"), time(5)));
    // The log ends before the watch tells of the end.
    follow.close_log(&key("p"), "1");
    assert!(opened(&mut follow).is_empty());
    follow.update_pod(vec![ended("p", "1")]);
    follow.tick();
    assert!(opened(&mut follow).is_empty());
    // The next run.
    follow.update_pod(vec![running("p", "2")]);
    assert_eq!(
        follow.take_openings(),
        [Opening {
            key: key("p"),
            run: "2".into(),
            first: false,
            after: time(5)
        }]
    );
    assert!(!follow.read(&key("p"), time(5)), "a repeated line");
    assert!(follow.read(&key("p"), time(6)));
    assert!(follow.read(&key("p"), time(4)), "its other stream may be behind");
    // The end of an older run is no news.
    follow.close_log(&key("p"), "1");
    follow.tick();
    assert!(opened(&mut follow).is_empty());
}

#[test]
fn a_broken_connection_is_opened_again_after_a_while() {
    let mut follow = Follow::new(9);
    follow.update_pod(vec![running("p", "1")]);
    opened(&mut follow);
    follow.tick();
    assert!(opened(&mut follow).is_empty(), "it is open");
    follow.close_log(&key("p"), "1");
    assert!(opened(&mut follow).is_empty(), "too early");
    follow.tick();
    assert_eq!(opened(&mut follow), ["p"]);
    // And not when the pod has gone.
    follow.close_log(&key("p"), "1");
    follow.remove_pod("p");
    follow.tick();
    assert!(opened(&mut follow).is_empty());
}

#[test]
fn no_more_than_the_limit_and_the_next_when_one_ends() {
    let mut follow = Follow::new(2);
    follow.update_pod(["a", "b", "c", "d"].map(|pod| running(pod, pod)).to_vec());
    assert_eq!(opened(&mut follow), ["a", "b"]);
    let sentence = follow.left_out().unwrap();
    assert!(
        sentence.contains("2 containers are followed at once; left out: c/c, d/c;"),
        "{sentence}"
    );
    assert_eq!(follow.left_out(), None, "it is said once");
    follow.remove_pod("a");
    assert_eq!(opened(&mut follow), ["c"]);
    follow.retain_pods(&BTreeSet::from(["d".to_owned()]));
    assert_eq!(opened(&mut follow), ["d"]);
}

#[test]
fn what_has_not_started_says_why_each_time_the_reason_changes() {
    let mut follow = Follow::new(2);
    let silent = |reason: &str| vec![source("p", State::Silent(reason.into()))];
    assert_eq!(
        follow.update_pod(silent("A")),
        ["container `c` of pod `p` has not started: A"]
    );
    assert!(follow.update_pod(silent("A")).is_empty());
    assert!(
        follow.update_pod(silent("ContainerCreating")).is_empty(),
        "what every pod says is no news"
    );
    assert_eq!(follow.update_pod(silent("B")).len(), 1);
    assert!(opened(&mut follow).is_empty());
    follow.update_pod(vec![running("p", "1")]);
    assert_eq!(opened(&mut follow), ["p"]);
}
