//! Whose turn it is, of several who begin.

use super::*;

#[tokio::test]
async fn of_two_who_begin_at_once_one_is_refused() {
    let (cluster, mut server) = connected();
    let serve = async {
        let created = stored(&revision(1, State::Pending, "me@here"), "5", 0);
        let (method, url, sent) = answer(&mut server, 201, &created).await;
        assert_eq!((method.as_str(), url.split('?').next().unwrap()), ("POST", SECRETS));
        assert_eq!(sent["metadata"]["name"], "deploy-tool.shop.1");
        assert_eq!(sent["type"], "deploy-tool.dev/revision");
        assert_eq!(sent["metadata"]["labels"]["deploy-tool.dev/state"], "pending");
        answer(&mut server, 409, &refusal(409, "AlreadyExists")).await;
        let theirs = stored(&revision(1, State::Pending, "you@there"), "6", 0);
        let (method, url, _) = answer(&mut server, 200, &theirs).await;
        assert_eq!((method.as_str(), url), ("GET", format!("{SECRETS}/deploy-tool.shop.1")));
        answer(&mut server, 404, &refusal(404, "NotFound")).await;
    };
    let begin = async {
        let pending = || revision(1, State::Pending, "me@here");
        revisions::begin_revision(&cluster, &release(), pending())
            .await
            .unwrap();
        let late = revisions::begin_revision(&cluster, &release(), pending()).await;
        assert_busy(&late.err().unwrap(), &codes::TAKEN, "faster with revision 1");
        let nowhere = revisions::begin_revision(&cluster, &release(), pending())
            .await
            .err()
            .unwrap();
        assert_eq!(nowhere.number(), Some(&codes::NAMESPACE_MISSING), "{nowhere}");
    };
    tokio::join!(begin, serve);
}

/// The server has stored the first request, its answer was lost, and the second one is refused.
#[tokio::test]
async fn a_beginning_whose_answer_was_lost_is_a_beginning() {
    let (cluster, mut server) = connected();
    let ours = revision(3, State::Pending, "me@here");
    let serve = async {
        answer(&mut server, 409, &refusal(409, "AlreadyExists")).await;
        answer(&mut server, 200, &stored(&ours, "8", 0)).await;
        let (_, _, sent) = answer(&mut server, 200, &stored(&ours, "9", 0)).await;
        assert_eq!(sent["metadata"]["resourceVersion"], "8", "what was found is written on");
    };
    let deploy = async {
        let held = revisions::begin_revision(&cluster, &release(), ours.clone())
            .await
            .unwrap();
        held.finish(State::Failed, "", BTreeSet::new(), BTreeSet::new()).await
    };
    let (ended, ()) = tokio::join!(deploy, serve);
    assert_eq!(ended.unwrap().state, State::Failed);
}

#[tokio::test]
async fn who_is_alive_is_not_disturbed_and_who_is_gone_is_marked() {
    for (seconds, holder, taken_over) in [
        (10, "other@there", false),
        (30, "other@there", true),
        (1, "me@here", true),
    ] {
        let (cluster, mut server) = connected();
        let pending = stored(&revision(4, State::Pending, holder), "11", seconds);
        let serve = async {
            answer(&mut server, 200, &list(std::slice::from_ref(&pending), "")).await;
            if taken_over {
                let (method, url, sent) = answer(&mut server, 200, &pending).await;
                assert_eq!(method, "PATCH");
                assert!(url.starts_with(&format!("{SECRETS}/deploy-tool.shop.4?")), "{url}");
                assert_eq!(sent["metadata"]["resourceVersion"], "11", "whoever is faster wins");
                assert_eq!(sent["metadata"]["labels"]["deploy-tool.dev/state"], "failed");
                let written = sent_revision(&sent);
                assert_eq!(
                    (written.state, written.message.as_str()),
                    (State::Failed, "interrupted")
                );
            }
        };
        let turn = async {
            let history = revisions::read_history(&cluster, &release()).await.unwrap();
            revisions::acquire(&cluster, &release(), &history, &deployer("me@here")).await
        };
        let (turn, ()) = tokio::join!(turn, serve);
        match turn {
            Ok(left) => assert_eq!((left.unwrap().number, taken_over), (4, true)),
            Err(failure) => {
                assert!(!taken_over);
                assert_busy(&failure, &codes::TAKEN, "other@there, process 7, makes revision 4");
            }
        }
    }
}

#[tokio::test]
async fn of_two_who_take_over_at_once_one_is_refused() {
    let (cluster, mut server) = connected();
    let pending = stored(&revision(4, State::Pending, "other@there"), "11", 60);
    let serve = async {
        answer(&mut server, 200, &list(&[pending], "")).await;
        answer(&mut server, 409, &refusal(409, "Conflict")).await;
    };
    let turn = async {
        let history = revisions::read_history(&cluster, &release()).await.unwrap();
        revisions::acquire(&cluster, &release(), &history, &deployer("me@here")).await
    };
    let (turn, ()) = tokio::join!(turn, serve);
    assert_busy(&turn.unwrap_err(), &codes::TAKEN, "faster with revision 4");
}
