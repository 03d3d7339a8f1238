//! The loop between a source and a delivery that a test drives, call by call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::Timestamp;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::message::OwnedMessage;
use tokio::sync::Semaphore;

use super::{FlowLimits, LoopOptions, run};
use crate::StreamError;
use crate::batch::{Counts, InputBatch, OutputBatch};
use crate::delivery::{Delivered, Delivery, WriteRequest};
use crate::metrics::Control;
use crate::source::{Position, Source};
use lexstream_kafka::{Messages, Offsets, Partition, Polled, Rebalance};

/// What a loop holds at most.
const BUFFER: usize = 1 << 20;

/// A loop that hangs fails its test within this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the source has next.
enum Event {
    Message(i64),
    Rebalance(fn(Vec<Partition>) -> Rebalance),
}

fn partition() -> Partition {
    Partition {
        topic: "t".into(),
        number: 0,
    }
}

/// Polls what the test sends, and tells it of every call.
struct Driven {
    events: Receiver<Event>,
    calls: Sender<String>,
    idle: Sender<()>,
}

impl Driven {
    fn called(&self, call: impl Into<String>) -> Result<(), StreamError> {
        // The test may have seen enough.
        let _ = self.calls.send(call.into());
        Ok(())
    }
}

impl Source for Driven {
    fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError> {
        match self.events.try_recv() {
            Ok(Event::Message(offset)) => {
                let (topic, time) = ("t".to_owned(), Timestamp::NotAvailable);
                messages.push(&OwnedMessage::new(None, None, topic, time, 0, offset, None));
                self.called(format!("poll {offset}"))?;
                Ok(Polled::Message)
            }
            Ok(Event::Rebalance(rebalance)) => Ok(Polled::Rebalance(rebalance(vec![partition()]))),
            Err(_) => {
                let _ = self.idle.send(());
                Ok(Polled::Nothing)
            }
        }
    }

    fn starts(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Position>, StreamError> {
        self.called("starts")?;
        let start = Position {
            offset: 0,
            is_committed: false,
        };
        Ok(partitions
            .iter()
            .map(|partition| (partition.clone(), start))
            .collect())
    }

    fn assign(&mut self, _: &Offsets) -> Result<(), StreamError> {
        self.called("assign")
    }

    fn unassign(&mut self, _: &[Partition]) -> Result<(), StreamError> {
        self.called("unassign")
    }

    fn pause(&mut self, _: &[Partition]) -> Result<(), StreamError> {
        Ok(())
    }

    fn resume(&mut self, _: &[Partition]) -> Result<(), StreamError> {
        Ok(())
    }

    fn seek(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        self.called(format!("seek {:?}", offsets.values().collect::<Vec<_>>()))
    }

    fn is_at_end(&mut self, _: &Partition, _: i64) -> Result<bool, StreamError> {
        Ok(true)
    }

    fn member(&self) -> Option<ConsumerGroupMetadata> {
        None
    }

    fn report(&mut self, _: &Offsets) {}
}

/// A batch whose results have so many bytes.
#[derive(Debug)]
struct Sized(InputBatch, usize);

impl OutputBatch for Sized {
    fn input(&self) -> &InputBatch {
        &self.0
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }

    fn bytes(&self) -> usize {
        self.1
    }
}

/// A delivery that answers a write when the test does.
struct Answered {
    calls: Sender<String>,
    answers: Receiver<Delivered>,
}

impl Delivery for Answered {
    type Batch = Sized;

    const WRITE_PAUSE: Duration = Duration::ZERO;
    const COMMITS_OFFSETS: bool = true;

    fn durable(&mut self, _: &[Partition]) -> Result<Offsets, StreamError> {
        Ok(Offsets::new())
    }

    fn write(&mut self, _: &mut [Sized], request: &WriteRequest) -> Result<Delivered, StreamError> {
        let next = request.next.values().next().expect("one partition");
        let _ = self.calls.send(format!("write {next}"));
        Ok(self.answers.recv_timeout(PATIENCE).expect("an answer"))
    }

    fn flush(&mut self, _: &[Partition]) -> Result<Delivered, StreamError> {
        Ok(Delivered::Durable(Offsets::new()))
    }

    fn discard(&mut self, _: &[Partition]) {}
}

/// A loop that runs, and what the test holds of it.
struct Driver {
    events: Sender<Event>,
    answers: Sender<Delivered>,
    calls: Receiver<String>,
    idle: Receiver<()>,
    /// A batch is processed for each permit.
    permits: Arc<Semaphore>,
    control: Arc<Control>,
    running: JoinHandle<Result<(), StreamError>>,
    // Batches are processed on it.
    _runtime: tokio::runtime::Runtime,
}

impl Driver {
    /// Starts a loop whose batches are one message and have results of so many bytes.
    fn start(bytes: usize) -> Self {
        Self::start_with(bytes, Semaphore::MAX_PERMITS)
    }

    /// Starts a loop that processes so many batches before more permits are given.
    fn start_with(bytes: usize, permits: usize) -> Self {
        let permits = Arc::new(Semaphore::new(permits));
        let permitted = Arc::clone(&permits);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let ((events, polled), (calls, called)) = (channel(), channel());
        let ((answers, answered), (idle, idles)) = (channel(), channel());
        let control = Arc::new(Control::default());
        let source = Driven {
            events: polled,
            calls: calls.clone(),
            idle,
        };
        let delivery = Answered {
            calls: calls.clone(),
            answers: answered,
        };
        let options = LoopOptions {
            limits: FlowLimits {
                batch_messages: 1,
                batch_bytes: BUFFER,
                linger: Duration::ZERO,
                batches_in_flight: 1,
                buffer_bytes: BUFFER,
                flush_interval: PATIENCE,
            },
            process: Box::new(move |messages: Messages| {
                let _ = calls.send(format!("process {}", messages.at(0).offset()));
                let permitted = Arc::clone(&permitted);
                Box::pin(async move {
                    permitted
                        .acquire()
                        .await
                        .expect("it is never closed")
                        .forget();
                    Ok(Sized(InputBatch::new(messages, BTreeMap::new()), bytes))
                })
            }),
            runtime: runtime.handle().clone(),
            control: Arc::clone(&control),
            tolerates: true,
            dead_letter_rate: None,
            until: None,
        };
        let driver = Self {
            events,
            answers,
            calls: called,
            idle: idles,
            permits,
            control,
            running: std::thread::spawn(move || run(source, delivery, options)),
            _runtime: runtime,
        };
        driver.send(Event::Rebalance(Rebalance::Assigned));
        driver.expect(&["starts", "assign"]);
        driver
    }

    fn send(&self, event: Event) {
        self.events.send(event).expect("the loop runs");
        self.control.wake();
    }

    /// The next calls are these, in this order.
    fn expect(&self, calls: &[&str]) {
        for call in calls {
            let found = self.calls.recv_timeout(PATIENCE);
            assert_eq!(found.as_deref(), Ok(*call));
        }
    }

    /// Answers the write that waits: everything before an offset is durable.
    fn answer(&self, next: i64) {
        let durable = Offsets::from([(partition(), next)]);
        self.answers
            .send(Delivered::Durable(durable))
            .expect("the delivery runs");
    }

    /// Waits until the source has been polled in vain again and again.
    fn wait_for_idle_polls(&self) {
        while self.idle.try_recv().is_ok() {}
        for _ in 0..3 {
            self.idle.recv_timeout(PATIENCE).expect("the loop polls");
        }
    }

    fn stop(self) {
        self.control.stop();
        let ended = self.running.join().expect("no panic");
        ended.expect("it ends when it is stopped");
    }
}

#[test]
fn messages_are_polled_and_processed_while_a_write_blocks() {
    let driver = Driver::start(1);
    driver.send(Event::Message(0));
    driver.expect(&["poll 0", "process 0", "write 1"]);
    for offset in 1..4 {
        driver.send(Event::Message(offset));
        driver.expect(&[&format!("poll {offset}"), &format!("process {offset}")]);
    }
    driver.wait_for_idle_polls();
    for next in 1..4 {
        driver.answer(next);
        driver.expect(&[&format!("write {}", next + 1)]);
    }
    driver.answer(4);
    driver.stop();
}

#[test]
fn the_source_is_polled_while_a_batch_is_processed() {
    let driver = Driver::start_with(1, 0);
    driver.send(Event::Message(0));
    driver.expect(&["poll 0", "process 0"]);
    driver.wait_for_idle_polls();
    driver.permits.add_permits(1);
    driver.expect(&["write 1"]);
    driver.answer(1);
    driver.stop();
}

#[test]
fn a_stop_waits_for_what_is_in_flight() {
    let driver = Driver::start_with(1, 0);
    driver.send(Event::Message(0));
    driver.expect(&["poll 0", "process 0"]);
    driver.control.stop();
    driver.permits.add_permits(1);
    driver.expect(&["write 1"]);
    driver.answer(1);
    driver.stop();
}

#[test]
fn a_panic_of_the_delivery_ends_the_loop() {
    let driver = Driver::start(1);
    driver.send(Event::Message(0));
    driver.expect(&["poll 0", "process 0", "write 1"]);
    drop(driver.answers);
    assert!(driver.running.join().is_err());
}

#[test]
fn nothing_is_processed_while_results_fill_the_buffer() {
    let driver = Driver::start(BUFFER);
    driver.send(Event::Message(0));
    driver.expect(&["poll 0", "process 0", "write 1"]);
    driver.send(Event::Message(1));
    driver.expect(&["poll 1"]);
    driver.wait_for_idle_polls();
    // Were it processed by now, that would be the next call.
    driver
        .events
        .send(Event::Message(2))
        .expect("the loop runs");
    driver.expect(&["poll 2"]);
    driver.answer(1);
    driver.expect(&["process 1", "write 2"]);
    driver.answer(2);
    driver.expect(&["process 2", "write 3"]);
    driver.answer(3);
    driver.stop();
}

#[test]
fn a_revocation_waits_for_the_write_that_is_under_way() {
    let driver = Driver::start(1);
    driver.send(Event::Message(0));
    driver.expect(&["poll 0", "process 0", "write 1"]);
    driver.send(Event::Message(1));
    driver.expect(&["poll 1", "process 1"]);
    driver.send(Event::Rebalance(Rebalance::Revoked));
    driver.answer(1);
    // What is in flight is written too before the partition is given up.
    driver.expect(&["write 2"]);
    driver.answer(2);
    driver.expect(&["unassign"]);
    driver.stop();
}

#[test]
fn lost_partitions_are_given_up_at_once_and_come_back_after_the_write() {
    let driver = Driver::start(1);
    driver.send(Event::Message(0));
    driver.expect(&["poll 0", "process 0", "write 1"]);
    driver.send(Event::Rebalance(Rebalance::Lost));
    driver.expect(&["unassign"]);
    driver.send(Event::Rebalance(Rebalance::Assigned));
    driver.wait_for_idle_polls();
    // Before the answer, the group's offsets would not have the write.
    driver.answer(1);
    driver.expect(&["starts", "assign"]);
    driver.stop();
}

#[test]
fn an_aborted_write_is_read_again_from_what_is_durable() {
    let driver = Driver::start(1);
    driver.send(Event::Message(0));
    driver.expect(&["poll 0", "process 0", "write 1"]);
    driver.answer(1);
    driver.send(Event::Message(1));
    driver.expect(&["poll 1", "process 1", "write 2"]);
    driver
        .answers
        .send(Delivered::Aborted)
        .expect("the delivery runs");
    driver.expect(&["seek [1]"]);
    driver.send(Event::Message(1));
    driver.expect(&["poll 1", "process 1", "write 2"]);
    driver.answer(2);
    driver.stop();
}
