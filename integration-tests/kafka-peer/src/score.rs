//! Reads JSON, splits its text into words and writes them as JSON: one thread reads, sends and commits, others compute.
//!
//! A batch of messages goes to one thread after the other, and comes back from them in that order; messages are not
//! copied on their way. While the first thread commits, the others work on.

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use super::client::{Failure, partitions};
use super::transaction::{Open, Transactions};

/// Messages of a batch, and batches under way: what `lexstream stream` has.
const BATCH: usize = 2000;
const BATCHES: usize = 4;

/// How long the first thread waits for messages when it has nothing else to do.
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Deserialize)]
struct Input<'a> {
    id: i64,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Serialize)]
struct Output<'a> {
    id: i64,
    tokens: &'a [&'a str],
    n: i64,
}

/// Messages, and their outputs end to end.
struct Batch<'a> {
    messages: Vec<BorrowedMessage<'a>>,
    outputs: Vec<u8>,
    ends: Vec<usize>,
}

struct Worker<'a> {
    give: Sender<Vec<BorrowedMessage<'a>>>,
    take: Receiver<Result<Batch<'a>, String>>,
}

/// Scores a topic up to its present end.
pub(crate) fn score(
    brokers: &str,
    from: &str,
    to: &str,
    group: &str,
    size: usize,
    threads: usize,
) -> Result<(), Failure> {
    let all = Transactions::try_new(brokers, from, to, group)?;
    let left = partitions(&all.consumer, from)?.into_iter().collect();
    std::thread::scope(|scope| {
        let worker = |_| {
            let (give, given) = channel::<Vec<BorrowedMessage<'_>>>();
            let (done, take) = channel();
            scope.spawn(move || {
                for messages in given {
                    // The first thread has failed where it takes nothing.
                    let _ = done.send(compute(messages));
                }
            });
            Worker { give, take }
        };
        let workers: Vec<_> = (0..threads).map(worker).collect();
        // Dropped before the scope ends, with which the threads end.
        let outcome = run(&all, size, left, &workers);
        drop(workers);
        outcome
    })
}

fn run<'a>(
    all: &'a Transactions<'a>,
    size: usize,
    mut left: BTreeSet<i32>,
    workers: &[Worker<'a>],
) -> Result<(), Failure> {
    let mut open = all.open(size);
    let mut filling = Vec::with_capacity(BATCH);
    let mut next = (0..workers.len()).cycle();
    let mut under_way = VecDeque::new();
    loop {
        let wait = match under_way.is_empty() {
            true => PAUSE,
            false => Duration::ZERO,
        };
        while under_way.len() < BATCHES {
            match all.consumer.poll(wait) {
                Some(Ok(message)) => filling.push(message),
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    left.remove(&partition);
                }
                Some(Err(error)) => return Err(error.into()),
                None => break,
            }
            let is_last = left.is_empty() && !filling.is_empty();
            if filling.len() == BATCH || is_last {
                let at = next.next().ok_or("no thread")?;
                let messages = std::mem::replace(&mut filling, Vec::with_capacity(BATCH));
                let given = workers[at].give.send(messages);
                given.map_err(|_| "a thread has ended")?;
                under_way.push_back(at);
            }
        }
        match under_way.pop_front() {
            Some(at) => {
                let batch = workers[at].take.recv()??;
                send(&mut open, &batch)?;
                open.commit_full()?;
            }
            None if left.is_empty() => return open.commit(),
            None => {}
        }
    }
}

fn send(open: &mut Open<'_>, batch: &Batch<'_>) -> Result<(), Failure> {
    let mut start = 0;
    for (message, end) in batch.messages.iter().zip(&batch.ends) {
        open.send(message, Some(&batch.outputs[start..*end]))?;
        start = *end;
    }
    Ok(())
}

fn compute(messages: Vec<BorrowedMessage<'_>>) -> Result<Batch<'_>, String> {
    let mut outputs = Vec::new();
    let mut ends = Vec::with_capacity(messages.len());
    for message in &messages {
        write(message.payload().unwrap_or_default(), &mut outputs)
            .map_err(|error| format!("{}@{}: {error}", message.partition(), message.offset()))?;
        ends.push(outputs.len());
    }
    Ok(Batch {
        messages,
        outputs,
        ends,
    })
}

/// Appends the output of one message.
pub(crate) fn write(message: &[u8], outputs: &mut Vec<u8>) -> serde_json::Result<()> {
    let input: Input<'_> = serde_json::from_slice(message)?;
    let tokens: Vec<&str> = input.text.unicode_words().collect();
    let output = Output {
        id: input.id,
        tokens: &tokens,
        n: tokens.len() as i64,
    };
    serde_json::to_writer(outputs, &output)
}
