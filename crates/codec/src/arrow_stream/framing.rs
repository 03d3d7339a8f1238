//! How a stream is cut into parts: what is held against its length before any part is read.

use arrow::ipc::{MessageHeader, root_as_message};

use crate::CodecError;

/// What stands before each part of a stream.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Checks that a stream is whole, ends where its bytes end, and makes no more rows than its bytes can hold.
///
/// The reader trusts lengths: it would wait for bytes that never come, or ask for memory that there is not.
pub(super) fn check(stream: &[u8]) -> Result<(), CodecError> {
    let mut at = 0;
    let take = |at: &mut usize, len: usize, what: &str| {
        let end = at.checked_add(len).filter(|end| *end <= stream.len());
        let Some(end) = end else {
            let rest = stream.len() - *at;
            let expected = format!("{what} of {len} bytes at byte {at}");
            return Err(CodecError::message(expected, format!("{rest} bytes")));
        };
        let part = &stream[*at..end];
        *at = end;
        Ok(part)
    };
    loop {
        let start = at;
        let prefix = take(&mut at, 8, "the beginning or end of an Arrow IPC stream")?;
        let (marker, len) = prefix.split_at(4);
        if marker != CONTINUATION {
            let expected = format!("the marker ffffffff of an Arrow IPC stream at byte {start}");
            return Err(CodecError::message(expected, hexadecimal(marker)));
        }
        let len = u32::from_le_bytes(len.try_into().expect("four bytes")) as usize;
        if len == 0 {
            return match stream.len() - at {
                0 => Ok(()),
                rest => {
                    let expected = format!("the end of the message at byte {at}");
                    Err(CodecError::message(expected, format!("{rest} bytes more")))
                }
            };
        }
        let metadata = take(&mut at, len, "metadata")?;
        let body = check_part(metadata, start, stream.len())?;
        take(&mut at, body, "a body")?;
    }
}

/// Checks a part by its metadata, and returns the length of what follows.
fn check_part(metadata: &[u8], at: usize, size: usize) -> Result<usize, CodecError> {
    let wrong = |expected: &str, found: String| {
        CodecError::message(format!("{expected} at byte {at}"), found)
    };
    let message = root_as_message(metadata)
        .map_err(|error| wrong("metadata of Arrow IPC", error.to_string()))?;
    match message.header_type() {
        MessageHeader::Schema => {}
        MessageHeader::RecordBatch => {
            let header = message.header_as_record_batch();
            let header = header.ok_or_else(|| wrong("a batch", "none".to_owned()))?;
            if header.compression().is_some() {
                return Err(wrong(
                    "a batch that is not compressed",
                    "a compressed one".to_owned(),
                ));
            }
            let body = u64::try_from(message.bodyLength()).unwrap_or(0);
            for buffer in header.buffers().into_iter().flatten() {
                let (start, len) = (
                    u64::try_from(buffer.offset()),
                    u64::try_from(buffer.length()),
                );
                let end = start
                    .ok()
                    .zip(len.ok())
                    .and_then(|(start, len)| start.checked_add(len));
                if end.is_none_or(|end| end > body) {
                    let found = format!("{} bytes from byte {}", buffer.length(), buffer.offset());
                    return Err(wrong(
                        &format!("a buffer within the {body} bytes of its batch"),
                        found,
                    ));
                }
            }
            // A boolean takes a bit, and nothing takes less.
            let rows = usize::try_from(header.length()).ok();
            if rows.is_none_or(|rows| rows > size.saturating_mul(8)) {
                let expected = "rows that fit into the message";
                return Err(wrong(expected, format!("{} rows", header.length())));
            }
        }
        MessageHeader::DictionaryBatch => {
            return Err(wrong(
                "columns without dictionaries",
                "a dictionary".to_owned(),
            ));
        }
        other => return Err(wrong("a schema or a batch", format!("{other:?}"))),
    }
    usize::try_from(message.bodyLength())
        .map_err(|_| wrong("a length", message.bodyLength().to_string()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
