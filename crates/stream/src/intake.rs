//! What comes in: messages on their way into batches, and batches that are being scored.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::StreamError;
use super::delivery::{Batch, Position, Source};
use super::flight::{Flight, Score};
use super::run::{Limits, LoopOptions};
use lexstream_kafka::{Messages, Offsets, Partition, Polled, Rebalance, Wake};

/// How long the loop sleeps at most; Kafka and the batches under way wake it.
pub(super) const SLEEP: Duration = Duration::from_millis(100);

/// How many times as many batches may wait for their transaction as are scored at once: their results take memory.
const DONE: usize = 8;

/// What comes in, all of which can be lost.
pub(super) struct Intake<B> {
    pub(super) limits: Limits,
    score: Score<B>,
    runtime: Handle,
    wake: Wake,
    /// Where the stream ends.
    pub(super) until: Option<Offsets>,
    pub(super) places: BTreeMap<Partition, Place>,
    /// Where the message came from that was taken last.
    last: Option<Partition>,
    /// The batch that is being filled.
    pub(super) filling: Messages,
    /// When its first message came.
    since: Instant,
    /// Batches that are to be scored.
    pub(super) waiting: VecDeque<Messages>,
    /// Batches that are being scored, in their order.
    pub(super) flights: VecDeque<Flight<B>>,
    /// The bytes of the batches that are being handed on.
    pub(super) delivering: usize,
    /// Whether more may have come than was taken last.
    pub(super) has_more: bool,
    /// Since when the partitions are to be read from elsewhere, while that has not been done.
    pub(super) rewinding: Option<Instant>,
    /// What the group wants and has not got yet.
    pub(super) rebalances: VecDeque<Rebalance>,
}

/// A partition that is being read.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What lies before this offset is there for good.
    pub(super) done: i64,
    /// Whether whoever comes next knows it.
    pub(super) is_committed: bool,
    /// What lies before this offset has been handed on.
    pub(super) delivered: i64,
    /// The offset that is to be read next.
    pub(super) next: i64,
    /// Whether everything there was has been read.
    pub(super) is_at_end: bool,
}

impl<B: Batch> Intake<B> {
    pub(super) fn new(options: LoopOptions<B>) -> Self {
        let control = options.control;
        Self {
            limits: options.limits,
            score: options.score,
            runtime: options.runtime,
            wake: Arc::new(move || control.wake()),
            until: options.until,
            places: BTreeMap::new(),
            last: None,
            delivering: 0,
            filling: Messages::default(),
            since: Instant::now(),
            waiting: VecDeque::new(),
            flights: VecDeque::new(),
            has_more: false,
            rewinding: None,
            rebalances: VecDeque::new(),
        }
    }

    /// Takes one message, and books it; or the end of a partition.
    pub(super) fn poll(&mut self, source: &mut dyn Source) -> Result<Polled, StreamError> {
        let polled = source.poll(&mut self.filling)?;
        match polled {
            Polled::Message => self.took(),
            // Before partitions are read from elsewhere, an end is that of what was read before.
            Polled::End(number) if self.rewinding.is_none() => {
                let of_number = self.places.iter_mut();
                for (_, place) in of_number.filter(|(partition, _)| partition.number == number) {
                    place.is_at_end = true;
                }
            }
            _ => {}
        }
        Ok(polled)
    }

    /// Takes messages and begins to score them while a transaction is waited for.
    ///
    /// What the group wants is kept for later: behind it, nothing is taken.
    pub(super) fn read_on(&mut self, source: &mut dyn Source) -> Result<(), StreamError> {
        if self.rebalances.is_empty() && self.held() < self.limits.buffer_bytes {
            for _ in 0..self.limits.batch_messages {
                match self.poll(source)? {
                    Polled::Nothing => break,
                    Polled::Rebalance(rebalance) => {
                        self.rebalances.push_back(rebalance);
                        break;
                    }
                    Polled::Message | Polled::End(_) => {}
                }
            }
        }
        self.start_batches();
        Ok(())
    }

    /// Books the message that has been taken last.
    fn took(&mut self) {
        let last = self.filling.at(self.filling.len() - 1);
        let offset = last.offset();
        // Messages of a partition come in runs.
        if !self
            .last
            .as_ref()
            .is_some_and(|partition| last.is_of(partition))
        {
            self.last = Some(last.origin());
        }
        let partition = self.last.as_ref();
        let place = partition.and_then(|partition| self.places.get_mut(partition));
        // What was fetched before partitions were given up, or read from elsewhere, is not wanted any more.
        let Some(place) = place.filter(|place| offset >= place.next && self.rewinding.is_none())
        else {
            self.filling.pop();
            return;
        };
        place.next = offset + 1;
        place.is_at_end = false;
        if self.filling.len() == 1 {
            self.since = Instant::now();
        }
        let limits = &self.limits;
        if self.filling.len() >= limits.batch_messages || self.filling.bytes() >= limits.batch_bytes
        {
            self.waiting.push_back(std::mem::take(&mut self.filling));
        }
    }

    /// Begins to score batches that are full or have waited long enough.
    pub(super) fn start_batches(&mut self) {
        let limits = &self.limits;
        let is_due = !self.filling.is_empty()
            && (self.since.elapsed() >= limits.linger || self.is_all_read());
        if is_due && self.waiting.is_empty() && self.has_room() {
            self.waiting.push_back(std::mem::take(&mut self.filling));
        }
        while self.has_room()
            && let Some(messages) = self.waiting.pop_front()
        {
            let flight = Flight::start(messages, &self.score, &self.runtime, &self.wake);
            self.flights.push_back(flight);
        }
    }

    /// Tells whether the stream is to end where it has come, so that waiting for more makes no sense.
    fn is_all_read(&self) -> bool {
        self.until.is_some() && self.places.values().all(|place| place.is_at_end)
    }

    /// Returns how many bytes of messages and of their results are held.
    pub(super) fn held(&self) -> usize {
        let waiting = self.waiting.iter().map(Messages::bytes);
        self.filling.bytes() + waiting.sum::<usize>() + self.in_flight()
    }

    fn in_flight(&self) -> usize {
        let flights = self.flights.iter().map(|flight| flight.bytes);
        self.delivering + flights.sum::<usize>()
    }

    /// Tells whether another batch can be begun: those that are done and wait for their transaction count less.
    pub(super) fn has_room(&mut self) -> bool {
        let most = self.limits.batches_in_flight;
        let flights = self.flights.iter_mut();
        let under_way = flights.map(|flight| usize::from(!flight.is_done()));
        under_way.sum::<usize>() < most && !self.is_full()
    }

    /// Tells whether as many batches are there as may be, done or not, or as many bytes of them.
    pub(super) fn is_full(&self) -> bool {
        self.flights.len() >= DONE * self.limits.batches_in_flight
            || self.in_flight() >= self.limits.buffer_bytes
    }

    /// Returns how long nothing is to be done, unless something comes.
    pub(super) fn pause(&mut self) -> Duration {
        // Where no batch can be begun, one that is done wakes the loop.
        if self.filling.is_empty() || !self.has_room() {
            return SLEEP;
        }
        let linger = self.limits.linger;
        linger
            .saturating_sub(self.since.elapsed())
            .clamp(Duration::from_micros(100), SLEEP)
    }
}

impl Place {
    pub(super) fn new(start: Position) -> Self {
        Self {
            done: start.offset,
            is_committed: start.is_committed,
            delivered: start.offset,
            next: start.offset,
            is_at_end: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rdkafka::Timestamp;
    use rdkafka::message::OwnedMessage;

    use super::super::control::Control;
    use super::super::delivery::{Batch, Delivered, Delivery, Meanwhile};
    use super::super::run::run;
    use super::super::taken::{Counts, DeadLetter};
    use super::*;

    /// A partition of three messages, two of which come while the first is being delivered.
    #[derive(Default)]
    struct Three {
        has_joined: bool,
        next: i64,
        are_others_there: bool,
    }

    impl Source for Three {
        fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError> {
            if !self.has_joined {
                self.has_joined = true;
                let all = Partition {
                    topic: "t".into(),
                    number: 0,
                };
                return Ok(Polled::Rebalance(Rebalance::Assigned(vec![all])));
            }
            let last = if self.are_others_there { 2 } else { 0 };
            if self.next > last {
                return Ok(Polled::Nothing);
            }
            let time = Timestamp::NotAvailable;
            let message = OwnedMessage::new(None, None, "t".to_owned(), time, 0, self.next, None);
            messages.push(&message);
            self.next += 1;
            Ok(Polled::Message)
        }

        fn starts(
            &mut self,
            partitions: &[Partition],
        ) -> Result<BTreeMap<Partition, Position>, StreamError> {
            let start = Position {
                offset: 0,
                is_committed: false,
            };
            let partitions = partitions.iter().cloned();
            Ok(partitions.map(|partition| (partition, start)).collect())
        }

        fn assign(&mut self, _: &Offsets) -> Result<(), StreamError> {
            Ok(())
        }

        fn unassign(&mut self, _: &[Partition]) -> Result<(), StreamError> {
            Ok(())
        }

        fn pause(&mut self, _: &[Partition]) -> Result<(), StreamError> {
            Ok(())
        }

        fn resume(&mut self, _: &[Partition]) -> Result<(), StreamError> {
            Ok(())
        }

        fn seek(&mut self, _: &Offsets) -> Result<(), StreamError> {
            Ok(())
        }

        fn is_at_end(&mut self, _: &Partition, _: i64) -> Result<bool, StreamError> {
            Ok(true)
        }
    }

    /// A batch with results of so many bytes.
    #[derive(Debug)]
    struct Scored(usize);

    impl Batch for Scored {
        fn counts(&self) -> Counts {
            Counts::default()
        }

        fn bytes(&self) -> usize {
            self.0
        }

        fn timestamps(&self) -> Vec<i64> {
            Vec::new()
        }

        fn dead(&self) -> Option<[(Partition, i64, &DeadLetter); 2]> {
            None
        }
    }

    /// What a loop holds at most.
    const BUFFER: usize = 1 << 20;

    /// Takes the first message for delivered once the others have been scored, one after another; where results fill the buffer,
    /// when none of them has been for a while.
    struct Waiting {
        source: Three,
        control: Arc<Control>,
        scored: Arc<AtomicUsize>,
    }

    impl Delivery for Waiting {
        type Source = Three;
        type Batch = Scored;

        const REST: Duration = Duration::ZERO;

        fn source(&mut self) -> &mut Three {
            &mut self.source
        }

        fn deliver(
            &mut self,
            batches: &mut [Scored],
            next: &Offsets,
            _: Offsets,
            meanwhile: Meanwhile<'_>,
        ) -> Result<Delivered, StreamError> {
            self.source.are_others_there = true;
            let began = Instant::now();
            let last = next.values().next().copied().expect("one partition");
            let scored = || self.scored.load(Ordering::Acquire);
            if batches.iter().any(|batch| batch.0 >= BUFFER) {
                while began.elapsed() < Duration::from_millis(50) {
                    meanwhile(&mut self.source);
                }
                assert_eq!(scored(), last as usize);
            } else {
                while scored() < 3 {
                    assert!(began.elapsed() < Duration::from_secs(20), "nothing is read");
                    meanwhile(&mut self.source);
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            if last == 3 {
                self.control.stop();
            }
            Ok(Delivered::Done(next.clone()))
        }

        fn tick(&mut self) -> Result<Delivered, StreamError> {
            Ok(Delivered::Done(Offsets::new()))
        }

        fn flush(&mut self, _: &[Partition]) -> Result<Delivered, StreamError> {
            Ok(Delivered::Done(Offsets::new()))
        }

        fn forget(&mut self, _: &[Partition]) {}
    }

    /// Runs a loop whose batches have results of so many bytes.
    fn run_with_results_of(bytes: usize) {
        let control = Arc::new(Control::default());
        let scored = Arc::new(AtomicUsize::new(0));
        let delivery = Waiting {
            source: Three::default(),
            control: Arc::clone(&control),
            scored: Arc::clone(&scored),
        };
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let options = LoopOptions {
            limits: Limits {
                batch_messages: 1,
                batch_bytes: 1 << 20,
                linger: Duration::ZERO,
                batches_in_flight: 1,
                buffer_bytes: BUFFER,
            },
            score: Box::new(move |messages: Messages| {
                scored.fetch_add(messages.len(), Ordering::Release);
                Box::pin(std::future::ready(Ok(Scored(bytes))))
            }),
            runtime: runtime.handle().clone(),
            control,
            tolerates: true,
            dead_letter_rate: None,
            until: None,
        };
        run(delivery, options).expect("it ends when it is stopped");
    }

    #[test]
    fn messages_are_read_and_scored_while_a_delivery_waits() {
        run_with_results_of(1);
    }

    #[test]
    fn nothing_is_scored_while_results_fill_the_buffer() {
        run_with_results_of(BUFFER);
    }
}
