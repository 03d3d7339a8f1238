//! Streams that are killed, stopped and resumed, joined and left, and whose broker is killed: each review once.

use std::time::Duration;

use lexstream_integration_tests::kafka::{Broker, shared, wait_for};
use lexstream_integration_tests::random::Random;
use lexstream_integration_tests::stream::{Processor, Reviews, Workshop};

/// What a killed process holds is free again soon: its partitions, and its open transaction.
pub(crate) const SOON: [(&str, &str); 3] = [
    ("session.timeout.ms", "2000"),
    ("heartbeat.interval.ms", "500"),
    ("transaction.timeout.ms", "6000"),
];

/// What a killed process holds stays held for longer than any wait here, unless its successor of the same name takes it.
const LATE: [(&str, &str); 2] = [
    ("session.timeout.ms", "300000"),
    ("transaction.timeout.ms", "300000"),
];

/// How often a test does what it does: a few times, or what `LEXSTREAM_TEST_KILLS` says.
pub(crate) fn kills(few: u64) -> u64 {
    let wanted = std::env::var("LEXSTREAM_TEST_KILLS").ok();
    wanted.map_or(few, |wanted| {
        wanted.parse().expect("LEXSTREAM_TEST_KILLS is a number")
    })
}

#[test]
fn a_processor_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let mut random = Random::printed();
    let kafka = shared();
    let workshop = Workshop::new(kafka, "killed", 4, &LATE);
    let mut reviews = Reviews::to(kafka, &workshop.input, Random::printed());
    let kills = kills(5);
    for kill in 0..kills {
        reviews.send(1_000);
        let before = workshop.progress();
        let mut processor = workshop.start("one");
        if kill % 3 == 2 {
            // Any moment of the start, too: what else there is to see of it is not what this is about.
            std::thread::sleep(Duration::from_millis(random.below(3_000)));
        } else {
            workshop.wait_for(before + 1 + random.below(800) as i64, &mut processor);
        }
        processor.kill();
    }
    workshop.finish("one");
    let tally = workshop.check();
    assert_eq!(tally.inputs as u64, reviews.sent());
    eprintln!("{kills} kills of the processor: {tally}");
}

#[test]
fn brokers_may_share_the_partitions_out_themselves() {
    let kafka = shared();
    let workshop = Workshop::new(kafka, "kip848", 4, &[("group.protocol", "consumer")]);
    let mut reviews = Reviews::to(kafka, &workshop.input, Random::printed());
    reviews.send(1_000);
    let mut one = workshop.start("one");
    workshop.wait_for(1, &mut one);
    let mut two = workshop.start("two");
    reviews.send(1_000);
    workshop.wait_for(workshop.end(), &mut two);
    // What one leaves, the other goes on with.
    one.expect_running();
    one.stop("TERM");
    reviews.send(1_000);
    workshop.wait_for(workshop.end(), &mut two);
    two.stop("TERM");
    let tally = workshop.check();
    assert_eq!(tally.inputs as u64, reviews.sent());
}

#[test]
fn a_broker_that_is_killed_costs_time_only() {
    let mut random = Random::printed();
    let mut broker = Broker::own();
    let kafka = broker.kafka().clone();
    let workshop = Workshop::new(&kafka, "broker-killed", 3, &SOON);
    let mut reviews = Reviews::to(&kafka, &workshop.input, Random::printed());
    let kills = kills(2).div_ceil(10).max(2);
    let mut processor = workshop.start("one");
    for _ in 0..kills {
        let wanted = workshop.progress() + 1 + random.below(1_500) as i64;
        reviews.send(2_000);
        workshop.wait_for(wanted, &mut processor);
        broker.kill();
        broker.restart();
        processor.expect_running();
    }
    processor.stop("TERM");
    workshop.finish("one");
    let tally = workshop.check();
    assert_eq!(tally.inputs as u64, reviews.sent());
    eprintln!("{kills} kills of the broker: {tally}");
}

#[test]
fn three_instances_join_and_leave_under_load() {
    let mut random = Random::printed();
    let kafka = shared();
    let workshop = Workshop::new(kafka, "joined", 6, &SOON);
    let mut reviews = Reviews::to(kafka, &workshop.input, Random::printed());
    let mut running: Vec<(&str, Processor)> = Vec::new();
    let (mut joined, mut left, mut killed) = (0, 0, 0);
    let rounds = kills(7);
    for _ in 0..rounds {
        let free: Vec<_> = ["a", "b", "c"]
            .into_iter()
            .filter(|name| running.iter().all(|(taken, _)| taken != name))
            .collect();
        if running.len() < 2 || (!free.is_empty() && random.below(2) == 0) {
            let name = free[random.below(free.len() as u64) as usize];
            running.push((name, workshop.start(name)));
            joined += 1;
        } else {
            let (_, leaver) = running.swap_remove(random.below(running.len() as u64) as usize);
            if random.below(2) == 0 {
                leaver.stop("TERM");
                left += 1;
            } else {
                leaver.kill();
                killed += 1;
            }
        }
        let before = workshop.progress();
        reviews.send(1_200);
        for (_, processor) in &mut running {
            processor.expect_running();
        }
        let wanted = before + 1 + random.below(600) as i64;
        workshop.wait_for(wanted, &mut running[0].1);
    }
    for (_, processor) in running {
        processor.stop("TERM");
    }
    workshop.finish("a");
    let tally = workshop.check();
    assert_eq!(tally.inputs as u64, reviews.sent());
    eprintln!("{joined} joined, {left} left, {killed} were killed: {tally}");
}

#[test]
fn a_processor_that_slept_past_its_session_harms_nothing() {
    let mut random = Random::printed();
    let kafka = shared();
    let workshop = Workshop::new(kafka, "slept", 3, &SOON);
    let mut reviews = Reviews::to(kafka, &workshop.input, Random::printed());
    let times = kills(2).div_ceil(5).max(2);
    let mut sleeper = workshop.start("sleeper");
    for _ in 0..times {
        let wanted = workshop.progress() + 1 + random.below(1_000) as i64;
        reviews.send(1_500);
        workshop.wait_for(wanted, &mut sleeper);
        sleeper.signal("STOP");
        // Another one takes over what the sleeper had, though not before its session is over.
        let mut heir = workshop.start("heir");
        let end = workshop.end();
        let heir_is_done = wait_for("the heir", Duration::from_secs(90), || {
            heir.expect_running();
            (workshop.progress() >= end).then_some(())
        });
        heir_is_done.unwrap_or_else(|error| panic!("{error}\n{}", workshop.logs()));
        let wanted = workshop.progress() + 1 + random.below(300) as i64;
        reviews.send(500);
        sleeper.signal("CONT");
        workshop.wait_for(wanted, &mut heir);
        heir.stop("INT");
    }
    sleeper.stop("TERM");
    workshop.finish("sleeper");
    let tally = workshop.check();
    assert_eq!(tally.inputs as u64, reviews.sent());
    eprintln!("{times} sleeps past the session: {tally}");
}

#[test]
fn two_processes_of_one_name_are_told_and_harm_nothing() {
    let kafka = shared();
    let workshop = Workshop::new(kafka, "twins", 2, &SOON);
    let mut reviews = Reviews::to(kafka, &workshop.input, Random::printed());
    reviews.send(500);
    let mut twins = [workshop.start("twin"), workshop.start("twin")];
    let told = wait_for("the end of one of two", Duration::from_secs(60), || {
        reviews.send(50);
        twins.iter_mut().find_map(Processor::ended)
    });
    let told = told.unwrap_or_else(|error| panic!("{error}\n{}", twins[0].log()));
    assert_eq!(told.code(), Some(1), "{}", twins[0].log());
    let log = twins[0].log();
    let words = ["transactional.id", "group.instance.id"].map(|option| {
        format!(
            "error: another process has the {option} `lexstream-{}-twin`",
            workshop.group
        )
    });
    assert!(words.iter().any(|words| log.contains(words)), "{log}");
    drop(twins);
    workshop.finish("twin");
    let tally = workshop.check();
    assert_eq!(tally.inputs as u64, reviews.sent());
}
