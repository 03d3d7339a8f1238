//! From a script to pipelines: what each reads, runs and writes.

mod clients;
mod pipeline_plan;
mod script;
mod sink;

pub(crate) use clients::fit_batches;
pub(crate) use pipeline_plan::{Destination, PipelinePlan, topic_name};
pub(crate) use script::read_script;
pub(crate) use sink::Sink;
