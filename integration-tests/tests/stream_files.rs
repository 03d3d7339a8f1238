//! Streams into Parquet files that are killed, stopped past their session, or out of disk: each review once.

use std::time::Duration;

use lexstream_integration_tests::binary::wait;
use lexstream_integration_tests::job::parts;
use lexstream_integration_tests::kafka::{shared, wait_for};
use lexstream_integration_tests::random::Random;
use lexstream_integration_tests::stream::{Filing, Reviews};
use lexstream_integration_tests::watch::names;

use crate::stream_faults::{SOON, kills};

#[test]
fn a_processor_of_files_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let mut random = Random::printed();
    let filing = Filing::new(shared(), "files-killed", 3, &SOON);
    let mut reviews = Reviews::to(shared(), &filing.workshop.input, Random::printed());
    let kills = kills(5);
    for _ in 0..kills {
        reviews.send(1_000);
        let before = parts(&filing.out()).len();
        let mut processor = filing.start("one");
        filing.wait_for(before + 1 + random.below(8) as usize, &mut processor);
        // The moments around a rename are short.
        std::thread::sleep(Duration::from_millis(random.below(40)));
        processor.kill();
    }
    filing.finish("one");
    let tally = filing.check();
    assert_eq!(tally.inputs as u64, reviews.sent());
    assert_eq!(names(&filing.out().join("_lexstream")), [] as [&str; 0]);
    eprintln!("{kills} kills of a processor of files: {tally}");
}

#[test]
fn two_processors_of_files_hand_over_and_a_sleeper_harms_nothing() {
    let mut random = Random::printed();
    let filing = Filing::new(shared(), "files-slept", 3, &SOON);
    let mut reviews = Reviews::to(shared(), &filing.workshop.input, Random::printed());
    let times = kills(1).div_ceil(10);
    let mut sleeper = filing.start("sleeper");
    for _ in 0..times {
        let before = parts(&filing.out()).len();
        reviews.send(1_500);
        filing.wait_for(before + 1 + random.below(5) as usize, &mut sleeper);
        sleeper.signal("STOP");
        let mut heir = filing.start("heir");
        for wakes in [false, true] {
            let before = parts(&filing.out()).len();
            reviews.send(1_000);
            if wakes {
                sleeper.signal("CONT");
            }
            filing.wait_for(before + 3, &mut heir);
        }
        heir.stop("TERM");
    }
    sleeper.stop("TERM");
    filing.finish("sleeper");
    let tally = filing.check();
    assert_eq!(tally.inputs as u64, reviews.sent());
    eprintln!("{times} sleeps of a processor of files: {tally}");
}

#[test]
fn a_full_disk_stops_the_stream_and_the_same_command_goes_on() {
    let filing = Filing::new(shared(), "files-full", 1, &[]);
    let mut reviews = Reviews::to(shared(), &filing.workshop.input, Random::printed());
    reviews.send(600);
    // Less than any file takes, with its footer.
    let ended = wait(filing.start_on_full_disk(1));
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let last = ended.error.lines().last().expect("an error");
    assert!(
        last.starts_with("error: ") && last.contains("File too large"),
        "{last}"
    );
    assert!(last.contains(&filing.workshop.input), "{last}");
    assert_eq!(parts(&filing.out()).len(), 0);
    filing.finish("one");
    let tally = filing.check();
    assert_eq!(tally.inputs as u64, reviews.sent());
    let swept = wait_for("an empty work folder", Duration::from_secs(5), || {
        names(&filing.out().join("_lexstream"))
            .is_empty()
            .then_some(())
    });
    swept.expect("what was unfinished is gone");
}
