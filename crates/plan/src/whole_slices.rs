//! `WholeSlices`: a query whose first row is in no hurry.

/// Says in a session's configuration, as an extension, that slices of models' input are as large as can be from the
/// start: nobody waits for the first row more than for the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WholeSlices;
