//! What stands behind `STORED AS`.

use datafusion::catalog::TableProviderFactory;
use lexstream_codec::Formats;

/// Tables of another system, made by `CREATE EXTERNAL TABLE … STORED AS NAME LOCATION … OPTIONS (…)`.
///
/// [`EngineBuilder::table_format`](crate::EngineBuilder::table_format) adds one. What can't be known until the table is
/// read, such as whether a broker answers, is no error of the statement.
pub trait TableFormat: TableProviderFactory {
    /// Returns the name behind `STORED AS`, in capital letters.
    fn name(&self) -> &'static str;

    /// Returns its page of the reference: a path under `docs/`, and Markdown. `formats` are the message formats that its
    /// tables may name; they are an extension of the session's configuration.
    fn page(&self, formats: &Formats) -> Option<(String, String)> {
        let _ = formats;
        None
    }
}
