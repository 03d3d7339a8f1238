//! Messages that no row can be made of: to the dead letters with their bytes and a reason, or the end of the stream.

use lexstream_integration_tests::binary::Ended;
use lexstream_integration_tests::kafka::{Isolation, NewRecord, shared};
use lexstream_integration_tests::stream::{Workshop, poison, review};

#[test]
fn poison_of_every_kind_is_set_aside_and_the_good_ones_beside_it_are_not() {
    let kafka = shared();
    let workshop = Workshop::new(kafka, "poison", 1, &[]);
    let mut sent = Vec::new();
    let kinds = poison(1);
    for (at, (kind, bytes)) in kinds.iter().enumerate() {
        sent.push(review(at as u64 + 1));
        sent.push(
            NewRecord::of(bytes.clone())
                .key(*kind)
                .header("kind", *kind),
        );
    }
    // Division by zero in one of the two queries.
    sent.push(review(120));
    sent.push(review(1));
    kafka.send(&workshop.input, &sent);
    workshop.finish("one");
    let tally = workshop.check();
    assert_eq!((tally.inputs, tally.dead), (sent.len(), kinds.len() + 1));
    let dead = kafka.read_all(&workshop.dead, Isolation::Committed);
    for (letter, (kind, _)) in dead.iter().zip(&kinds) {
        assert_eq!(letter.header("kind"), Some(*kind));
        let reason = letter.header("__connect.errors.exception.message");
        assert!(
            reason.is_some_and(|reason| reason.contains("expected")),
            "{kind}: {reason:?}"
        );
    }
    let last = dead.last().expect("the division");
    let reason = last.header("__connect.errors.exception.message");
    let reason = reason.expect("a reason").to_lowercase();
    assert!(reason.contains("divide by zero"), "{reason}");
}

#[test]
fn without_dead_letters_the_stream_stops_where_the_poison_is() {
    let kafka = shared();
    let workshop = Workshop::without_dead_letters(kafka, "stops", 1);
    let sent = [review(1), review(2), NewRecord::of("{"), review(3)];
    kafka.send(&workshop.input, &sent);
    let Ended { status, error, .. } = workshop.run(&["--until-end"]);
    assert_eq!(status, Some(1), "{error}");
    let last = error.lines().last().expect("an error");
    let place = format!("error: {}[0]@2: ", workshop.input);
    assert!(last.starts_with(&place), "{error}");
    // What comes before it may be done; it and what follows is not.
    let committed = kafka.committed(&workshop.group, &workshop.input);
    assert!(
        committed.get(&0).is_none_or(|offset| *offset <= 2),
        "{committed:?}"
    );
    for output in &workshop.outputs {
        let found = kafka.read_all(output, Isolation::Committed);
        assert!(found.len() <= 2, "{found:?}");
    }
}
