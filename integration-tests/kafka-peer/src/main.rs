//! The hand-written programs that `make bench-kafka` compares `lexstream stream` with, and what it measures both by.

mod check;
mod client;
mod copy;
mod fill;
mod load;
mod score;
mod span;
mod transaction;

use std::process::ExitCode;

use client::Failure;

/// The allocator that the binary of Lexstream has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: kafka_peer BROKERS COMMAND …
  create TOPIC PARTITIONS [KEY=VALUE …]
  delete TOPIC …
  fill TOPIC FILE COUNT
  copy FROM TO GROUP MESSAGES-A-TRANSACTION
  score FROM TO GROUP MESSAGES-A-TRANSACTION THREADS
  check copy|score FROM TO
  span TOPIC
  load FROM TO FILE MESSAGES-A-SECOND SECONDS WARM-UP-SECONDS";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(printed) => {
            print!("{printed}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: kafka_peer {}: {error}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

/// Runs a command; returns what it prints.
fn run(arguments: &[&str]) -> Result<String, Failure> {
    match *arguments {
        [brokers, "create", topic, partitions, ref settings @ ..] => {
            client::create(brokers, topic, partitions.parse()?, settings)?;
        }
        [brokers, "delete", ref topics @ ..] => client::delete(brokers, topics)?,
        [brokers, "fill", topic, file, count] => {
            fill::fill(brokers, topic, &fill::lines(file)?, count.parse()?)?;
        }
        [brokers, "copy", from, to, group, messages] => {
            copy::copy(brokers, from, to, group, messages.parse()?)?;
        }
        [brokers, "score", from, to, group, messages, threads] => {
            score::score(
                brokers,
                from,
                to,
                group,
                messages.parse()?,
                threads.parse()?,
            )?;
        }
        [brokers, "check", kind, from, to] => return check::check(brokers, kind, from, to),
        [brokers, "span", topic] => return span::span(brokers, topic),
        [brokers, "load", from, to, file, rate, seconds, warm_up] => {
            let load = load::Load {
                rate: rate.parse()?,
                seconds: seconds.parse()?,
                warm_up: warm_up.parse()?,
            };
            return load::load(brokers, from, to, &fill::lines(file)?, &load);
        }
        _ => return Err(USAGE.into()),
    }
    Ok(String::new())
}
