//! The revision that is made: renewed, and written to its end.

use super::*;

#[tokio::test(start_paused = true)]
async fn who_deploys_says_so_every_five_seconds_until_somebody_else_has_the_release() {
    let (cluster, mut server) = connected();
    let ours = revision(2, State::Pending, "me@here");
    let theirs = Revision {
        state: State::Failed,
        ..ours.clone()
    };
    let serve = async {
        answer(&mut server, 201, &stored(&ours, "1", 0)).await;
        let start = tokio::time::Instant::now();
        let (method, _, sent) = answer(&mut server, 200, &stored(&ours, "2", 0)).await;
        assert_eq!((method.as_str(), start.elapsed().as_secs()), ("PATCH", 5));
        assert_eq!(sent["metadata"]["resourceVersion"], "1");
        assert!(sent["metadata"]["annotations"]["deploy-tool.dev/renewed"].is_string() && sent["data"].is_null());
        // An answer that was lost: the version has moved on, and the revision is still ours. It is renewed at once.
        let (_, _, sent) = answer(&mut server, 409, &refusal(409, "Conflict")).await;
        assert_eq!(sent["metadata"]["resourceVersion"], "2");
        answer(&mut server, 200, &stored(&ours, "3", 0)).await;
        let (method, _, sent) = answer(&mut server, 200, &stored(&ours, "4", 0)).await;
        assert_eq!((method.as_str(), start.elapsed().as_secs()), ("PATCH", 10));
        assert_eq!(sent["metadata"]["resourceVersion"], "3");
        assert!(sent["metadata"]["annotations"]["deploy-tool.dev/renewed"].is_string());
        let (_, _, sent) = answer(&mut server, 409, &refusal(409, "Conflict")).await;
        assert_eq!(
            (&sent["metadata"]["resourceVersion"], start.elapsed().as_secs()),
            (&json!("4"), 15)
        );
        // Who cannot be read has not been taken over.
        answer(&mut server, 503, &refusal(503, "ServiceUnavailable")).await;
        answer(&mut server, 409, &refusal(409, "Conflict")).await;
        assert_eq!(start.elapsed().as_secs(), 20);
        answer(&mut server, 200, &stored(&theirs, "5", 0)).await;
    };
    let deploy = async {
        let held = revisions::begin_revision(&cluster, &release(), ours.clone())
            .await
            .unwrap();
        held.hold_during(std::future::pending::<Result<(), Error>>()).await
    };
    let (lost, ()) = tokio::join!(deploy, serve);
    assert_busy(&lost.unwrap_err(), &codes::LOST, "marked revision 2 as failed");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_say_so_stops_before_others_take_it_for_gone() {
    let (cluster, mut server) = connected();
    let ours = revision(2, State::Pending, "me@here");
    let start = tokio::time::Instant::now();
    let deploy = async {
        let held = revisions::begin_revision(&cluster, &release(), ours.clone())
            .await
            .unwrap();
        held.hold_during(std::future::pending::<Result<(), Error>>()).await
    };
    let serve = async {
        answer(&mut server, 201, &stored(&ours, "1", 0)).await;
        loop {
            answer(&mut server, 403, &refusal(403, "Forbidden")).await;
        }
    };
    let lost = tokio::select! { lost = deploy => lost, () = serve => unreachable!() };
    assert_busy(&lost.unwrap_err(), &codes::LOST, "Forbidden");
    assert!((10..20).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

/// Others count from the last renewal that was written, and from when it was sent.
#[tokio::test(start_paused = true)]
async fn work_rests_while_nothing_is_renewed_though_the_server_answers() {
    let slow = std::time::Duration::from_secs(12);
    for (is_slow, rests_from) in [(false, 17), (true, 22)] {
        let (cluster, mut server) = connected();
        let ours = revision(2, State::Pending, "me@here");
        let start = tokio::time::Instant::now();
        let serve = async {
            answer(&mut server, 201, &stored(&ours, "1", 0)).await;
            if is_slow {
                // Sent after 5 s, answered after 17 s: it counts from the first of them.
                let (request, send) = server.next_request().await.unwrap();
                tokio::time::sleep(slow).await;
                let body = stored(&ours, "2", 0).to_string().into_bytes();
                send.send_response(Response::new(Body::from(body)));
                assert_eq!(request.method(), "PATCH");
            }
            loop {
                answer(&mut server, 409, &refusal(409, "Conflict")).await;
                answer(&mut server, 200, &stored(&ours, "3", 0)).await;
                answer(&mut server, 409, &refusal(409, "Conflict")).await;
            }
        };
        let worked = std::cell::Cell::new(0);
        let deploy = async {
            let held = revisions::begin_revision(&cluster, &release(), ours.clone())
                .await
                .unwrap();
            let work = async {
                loop {
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    worked.set(start.elapsed().as_secs());
                }
            };
            held.hold_during::<()>(work).await
        };
        let lost = tokio::select! { lost = deploy => lost, () = serve => unreachable!() };
        let failure = lost.unwrap_err().to_string();
        assert!(failure.contains("the record changes all the time"), "{failure}");
        assert!(worked.get() < rests_from, "{}", worked.get());
    }
}

/// While the API server is away, nobody can take the release; the work rests, and goes on when it is back.
#[tokio::test(start_paused = true)]
async fn work_rests_while_the_api_server_is_away_and_goes_on_unless_somebody_was_faster() {
    for (state, goes_on) in [(State::Pending, true), (State::Failed, false)] {
        let (cluster, mut server) = connected();
        let ours = revision(2, State::Pending, "me@here");
        let found = Revision { state, ..ours.clone() };
        let start = tokio::time::Instant::now();
        let away = std::time::Duration::from_secs(90);
        let serve = async {
            answer(&mut server, 201, &stored(&ours, "1", 0)).await;
            while start.elapsed() < away {
                answer(&mut server, 503, &refusal(503, "ServiceUnavailable")).await;
            }
            answer(&mut server, 409, &refusal(409, "Conflict")).await;
            answer(&mut server, 200, &stored(&found, "7", 0)).await;
            if goes_on {
                let (_, _, sent) = answer(&mut server, 200, &stored(&ours, "8", 0)).await;
                assert_eq!(sent["metadata"]["resourceVersion"], "7");
            }
            std::future::pending::<()>().await;
        };
        let deploy = async {
            let held = revisions::begin_revision(&cluster, &release(), ours.clone())
                .await
                .unwrap();
            // Due in the middle of the absence: it ends after it.
            let work = async {
                tokio::time::sleep(away / 2).await;
                Ok(start.elapsed())
            };
            held.hold_during(work).await
        };
        let ended = tokio::select! { ended = deploy => ended, () = serve => unreachable!() };
        match ended {
            Ok(ended) => assert!(goes_on && ended >= away, "{ended:?}"),
            Err(lost) => {
                assert!(!goes_on, "{lost}");
                assert_busy(&lost, &codes::LOST, "marked revision 2 as failed");
            }
        }
    }
}

#[tokio::test]
async fn the_end_is_written_on_the_version_that_was_read() {
    let (cluster, mut server) = connected();
    let ours = revision(2, State::Pending, "me@here");
    let serve = async {
        answer(&mut server, 201, &stored(&ours, "1", 0)).await;
        answer(&mut server, 409, &refusal(409, "Conflict")).await;
        answer(&mut server, 200, &stored(&ours, "6", 0)).await;
        let (method, _, sent) = answer(&mut server, 200, &stored(&ours, "7", 0)).await;
        assert_eq!(
            (method.as_str(), &sent["metadata"]["resourceVersion"]),
            ("PATCH", &json!("6"))
        );
        assert_eq!(sent["metadata"]["labels"]["deploy-tool.dev/state"], "deployed");
        let written = sent_revision(&sent);
        assert!(written.state == State::Deployed && written.finished.is_some());
    };
    let deploy = async {
        let held = revisions::begin_revision(&cluster, &release(), ours.clone())
            .await
            .unwrap();
        held.finish(State::Deployed, "", BTreeSet::new(), BTreeSet::new())
            .await
            .unwrap();
    };
    tokio::join!(deploy, serve);
}

/// The server has stored the end and its answer was lost: what it says next is no sign of somebody else.
#[tokio::test]
async fn an_end_whose_answer_was_lost_is_an_end() {
    let (cluster, mut server) = connected();
    let ours = revision(2, State::Pending, "me@here");
    let serve = async {
        answer(&mut server, 201, &stored(&ours, "1", 0)).await;
        let (_, _, sent) = answer(&mut server, 409, &refusal(409, "Conflict")).await;
        answer(&mut server, 200, &stored(&sent_revision(&sent), "2", 0)).await;
    };
    let deploy = async {
        let held = revisions::begin_revision(&cluster, &release(), ours.clone())
            .await
            .unwrap();
        held.finish(State::Deployed, "", BTreeSet::new(), BTreeSet::new()).await
    };
    let (ended, ()) = tokio::join!(deploy, serve);
    assert_eq!(ended.unwrap().state, State::Deployed);
}

/// The end was stored, and neither its answer nor what the server has could be read: the run has failed, but nobody has
/// taken the release.
#[tokio::test]
async fn an_end_that_is_not_known_of_is_not_taken_for_somebody_elses() {
    let (cluster, mut server) = connected();
    let ours = revision(2, State::Pending, "me@here");
    let serve = async {
        answer(&mut server, 201, &stored(&ours, "1", 0)).await;
        let (_, _, sent) = answer(&mut server, 409, &refusal(409, "Conflict")).await;
        answer(&mut server, 403, &refusal(403, "Forbidden")).await;
        answer(&mut server, 409, &refusal(409, "Conflict")).await;
        answer(&mut server, 200, &stored(&sent_revision(&sent), "2", 0)).await;
    };
    let deploy = async {
        let held = revisions::begin_revision(&cluster, &release(), ours.clone())
            .await
            .unwrap();
        let end = async |state| held.finish(state, "", BTreeSet::new(), BTreeSet::new()).await;
        let unknown = end(State::Deployed).await.unwrap_err();
        assert_eq!(unknown.status, ExitStatus::Cluster, "{unknown}");
        end(State::Failed).await.unwrap();
    };
    tokio::join!(deploy, serve);
}
