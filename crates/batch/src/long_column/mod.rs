//! A column of texts whose pages may be longer than memory is to hold at once.
//!
//! Parquet's reader takes a page as a whole, and writers put a thousand rows into one however long they are. Here a long
//! page is decompressed as it goes, and becomes pieces of some megabytes, or of one text where that is longer; pages of
//! usual length are left to Parquet's reader, and so is the decoding of all of them. A dictionary of long texts is read
//! along with the rows, as its texts come. What is cut is a column that is not nested, in PLAIN encoding or of a
//! dictionary, under any compression but Brotli and the old LZ4; other pages are read whole.

mod chunk;
mod column;
mod header;
mod hybrid;
mod long_dictionary;
mod long_page;
mod lz4;
mod page_bytes;
mod pages;
mod snappy;
mod stored_page;
mod values;
mod window;

pub(super) use column::LongColumn;

#[cfg(test)]
mod tests;
