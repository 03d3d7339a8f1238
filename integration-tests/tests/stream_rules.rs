//! Streams that die at any step do no harm; streams that break a rule do, and the check sees it.

use std::time::Duration;

use lexstream_integration_tests::check::{Faults, Kind};
use lexstream_integration_tests::kafka::shared;
use lexstream_integration_tests::random::Random;
use lexstream_integration_tests::stream::{
    Reviews, Rule, Step, TRANSACTION, Workshop, run_under_rule,
};

/// A step comes within this time.
const PATIENCE: Duration = Duration::from_secs(60);

const RUNNER: &str = "stream_rules::runs_a_stream";

/// Not a test: the process of the tests here.
#[test]
#[ignore = "it is run by other tests"]
fn runs_a_stream() {
    run_under_rule();
}

/// A workshop with so many reviews, in which a sleeping process is soon missed.
fn workshop(hint: &str, reviews: u64) -> Workshop<'static> {
    let soon = [
        ("session.timeout.ms", "2000"),
        ("heartbeat.interval.ms", "500"),
    ];
    let workshop = Workshop::new(shared(), hint, 2, &soon);
    Reviews::to(shared(), &workshop.input, Random::printed()).send(reviews);
    workshop
}

#[test]
fn a_processor_may_die_at_any_step() {
    let mut random = Random::printed();
    let workshop = workshop("dies", 0);
    let mut reviews = Reviews::to(shared(), &workshop.input, Random::printed());
    let mut deaths = 0;
    for (step, most) in [
        (Step::Starts, 1),
        (Step::Assign, 1),
        (Step::Begin, 4),
        (Step::Send, 60),
        (Step::SendOffsets, 4),
        (Step::Commit, 4),
    ] {
        for after in [false, true] {
            // The fourth transaction comes, however many messages the first three have.
            reviews.send(3 * TRANSACTION + 20);
            let nth = 1 + random.below(most);
            let rule = Rule::Dies { step, nth, after };
            let dying = workshop.start_under(rule, "one", RUNNER);
            dying.expect_death(PATIENCE);
            deaths += 1;
        }
    }
    workshop.finish("one");
    let tally = workshop.check();
    assert_eq!(tally.inputs as u64, reviews.sent());
    eprintln!("{deaths} deaths at steps: {tally}");
}

#[test]
fn a_transaction_that_is_aborted_is_made_again() {
    let workshop = workshop("aborts", 1_000);
    workshop
        .start_under(Rule::Aborts, "one", RUNNER)
        .expect_end(PATIENCE);
    workshop.check();
}

/// Runs a stream that breaks a rule, and a right one after it; returns what the check says.
fn breaks(rule: Rule, hint: &str, dies: bool) -> Faults {
    // One that dies must not have read all before.
    let workshop = workshop(hint, TRANSACTION * if dies { 19 } else { 4 });
    let broken = workshop.start_under(rule, "one", RUNNER);
    if dies {
        broken.expect_death(PATIENCE);
    } else {
        broken.expect_end(PATIENCE);
    }
    workshop.finish("one");
    workshop.try_check().expect_err(hint)
}

fn check_only(faults: &Faults, kinds: &[Kind]) {
    let first = faults.0.iter().find(|fault| !kinds.contains(&fault.kind));
    assert_eq!(first, None, "{faults}");
}

#[test]
fn offsets_apart_from_the_transaction_lose() {
    check_only(&breaks(Rule::OffsetsApart, "apart", true), &[Kind::Lost]);
}

#[test]
fn a_committed_position_loses() {
    let faults = breaks(Rule::CommitsPosition, "position", true);
    check_only(&faults, &[Kind::Lost]);
}

#[test]
fn a_forgotten_rewind_loses() {
    let faults = breaks(Rule::ForgetsToRewind, "rewind", true);
    check_only(&faults, &[Kind::Lost]);
}

#[test]
fn dead_letters_apart_from_the_transaction_double() {
    let faults = breaks(Rule::DeadLettersApart, "letters", false);
    check_only(&faults, &[Kind::Doubled, Kind::Inverted]);
    assert!(
        faults
            .0
            .iter()
            .all(|fault| &*fault.found_in == "dead letters")
    );
}

/// Has a process sleep in a transaction until another one has done its work, and wakes it.
fn sleeps(rule: Rule, hint: &str) -> Workshop<'static> {
    let workshop = workshop(hint, 6 * TRANSACTION);
    let mut sleeper = workshop.start_under(rule, "sleeper", RUNNER);
    sleeper.expect_sleep(PATIENCE);
    let mut heir = workshop.start("heir");
    workshop.wait_for(workshop.end(), &mut heir);
    sleeper.signal("CONT");
    if rule == Rule::NoMember {
        sleeper.expect_death(PATIENCE);
    } else {
        // It is told that it is no longer a member, and begins anew.
        sleeper.expect_end(PATIENCE);
    }
    heir.stop("TERM");
    workshop
}

#[test]
fn who_speaks_for_the_group_without_being_a_member_doubles() {
    let workshop = sleeps(Rule::NoMember, "no-member");
    let faults = workshop.try_check().expect_err("doubled rows");
    check_only(&faults, &[Kind::Doubled, Kind::Inverted, Kind::Committed]);
    assert!(faults.0.iter().any(|fault| fault.kind == Kind::Doubled));
}

#[test]
fn who_sleeps_in_a_transaction_does_no_harm_as_a_member() {
    let workshop = sleeps(Rule::Sleeps, "member");
    workshop.finish("sleeper");
    workshop.check();
}
