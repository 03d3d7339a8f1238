//! What a graph's file says before it is run: which files hold its large tensors, and how many tokens it knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// What a graph's file says.
#[derive(Debug, Default)]
pub(super) struct GraphFile {
    /// Locations of external data, relative to the graph's folder.
    pub(super) locations: BTreeSet<String>,
    /// Operators of the graph itself, in the order they run in.
    nodes: Vec<Node>,
    /// Tensors of the graph itself: the length of the first dimension, by name.
    tensors: BTreeMap<String, u64>,
}

/// An operator: its domain and type, its inputs and outputs, and its attributes that are whole numbers.
#[derive(Debug, Default)]
struct Node {
    domain: String,
    operator: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    attributes: BTreeMap<String, u64>,
}

/// Operators that hand on token ids with the first of their inputs.
const KEEPS_IDS: &[&str] = &[
    "Cast",
    "Flatten",
    "Identity",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
];

/// Operators that hand on the rows of a table with the first of their inputs.
const KEEPS_ROWS: &[&str] = &["Cast", "DequantizeLinear", "Identity"];

/// Operators that take rows of a table by token ids: which input is the table, which are the ids, and the attribute that
/// says along which axis.
const LOOKS_UP: &[(&str, usize, usize, &str)] = &[
    ("EmbedLayerNormalization", 2, 0, ""),
    ("Gather", 0, 1, "axis"),
    ("GatherBlockQuantized", 0, 1, "gather_axis"),
];

/// ONNX's own operators, and those that ONNX Runtime has beside them.
const DOMAINS: &[&str] = &["", "ai.onnx", "com.microsoft"];

/// TensorProto's INT32 and INT64: ids are the same in both.
const WHOLE: &[u64] = &[6, 7];

impl Node {
    /// Tells whether the first output holds the ids of the first input.
    fn keeps_ids(&self) -> bool {
        let to = self.attributes.get("to");
        self.is_one_of(KEEPS_IDS) && to.is_none_or(|to| WHOLE.contains(to))
    }

    fn is_one_of(&self, operators: &[&str]) -> bool {
        DOMAINS.contains(&self.domain.as_str()) && operators.contains(&self.operator.as_str())
    }

    /// Returns the table and the ids of a lookup.
    fn lookup(&self) -> Option<(&str, &str)> {
        let (_, table, ids, axis) = LOOKS_UP
            .iter()
            .find(|(operator, ..)| self.is_one_of(&[operator]))?;
        let is_by_rows = self.attributes.get(*axis).is_none_or(|axis| *axis == 0);
        let input = |at: usize| self.inputs.get(at).map(String::as_str);
        is_by_rows.then_some((input(*table)?, input(*ids)?))
    }
}

impl GraphFile {
    /// Reads a graph's file, as far as it is one: of a broken file that is what stands before the break, and ONNX Runtime
    /// says in its own words what is wrong.
    ///
    /// Weights are passed over. Source: `onnx.proto` and External Data of ONNX's documentation.
    pub(super) fn read(graph: &Path) -> io::Result<Self> {
        let file = File::open(graph)?;
        let end = file.metadata()?.len();
        let mut walk = Walk {
            input: BufReader::new(file),
            at: 0,
            found: Self::default(),
            node: Node::default(),
            tensor: (String::new(), None),
            attribute: (String::new(), None),
        };
        match walk.message(Message::Model, end, 0) {
            Ok(()) => Ok(walk.found),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
            {
                Ok(walk.found)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the shortest table in which the ids of an input are looked up, by its name and its rows; none where the
    /// graph does that in another way.
    pub(super) fn table(&self, input: &str) -> Option<(&str, u64)> {
        let mut ids = BTreeSet::from([input]);
        // Which tensor's rows another has.
        let mut origins: BTreeMap<&str, &str> = BTreeMap::new();
        let mut shortest: Option<(&str, u64)> = None;
        for node in &self.nodes {
            if let (Some(first), Some(output)) = (node.inputs.first(), node.outputs.first()) {
                if node.keeps_ids() && ids.contains(first.as_str()) {
                    ids.insert(output);
                }
                if node.is_one_of(KEEPS_ROWS) {
                    let origin = origins.get(first.as_str()).copied().unwrap_or(first);
                    origins.insert(output, origin);
                }
            }
            if let Some((table, looked_up)) = node.lookup()
                && ids.contains(looked_up)
            {
                let table = origins.get(table).copied().unwrap_or(table);
                if let Some((name, rows)) = self.tensors.get_key_value(table)
                    && shortest.is_none_or(|(_, fewest)| *rows < fewest)
                {
                    shortest = Some((name, *rows));
                }
            }
        }
        shortest
    }
}

/// The messages of `onnx.proto` on the way to a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Attribute,
    Function,
    Graph,
    Model,
    Node,
    SparseTensor,
    Tensor,
}

impl Message {
    /// Returns which message a field holds, of those on the way.
    fn field(self, number: u64) -> Option<Self> {
        Some(match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 25) => Self::Function,
            (Self::Graph, 1) | (Self::Function, 7) => Self::Node,
            (Self::Node, 5) => Self::Attribute,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::SparseTensor, 1 | 2) => {
                Self::Tensor
            }
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::SparseTensor,
            _ => return None,
        })
    }
}

/// Bytes of a name, or of an entry of external data, at most.
const SHORT: u64 = 1 << 16;

/// How deep messages may lie in one another.
const DEEPEST: usize = 64;

/// How deep the graph itself lies.
const GRAPH: usize = 1;

/// Reads Protobuf's wire format, and passes over all that is not asked for.
struct Walk {
    input: BufReader<File>,
    at: u64,
    found: GraphFile,
    /// The node of the graph itself that is being read.
    node: Node,
    /// The tensor that is being read: its name, and its first dimension.
    tensor: (String, Option<u64>),
    /// The attribute that is being read: its name, and its whole number.
    attribute: (String, Option<u64>),
}

impl Walk {
    fn message(&mut self, message: Message, end: u64, depth: usize) -> io::Result<()> {
        while self.at < end {
            let tag = self.number()?;
            let (field, wire) = (tag >> 3, tag & 7);
            let bytes = match wire {
                0 => {
                    let number = self.number()?;
                    self.take_number(message, field, number);
                    continue;
                }
                1 => 8,
                2 => self.number()?,
                5 => 4,
                _ => return Err(io::ErrorKind::InvalidData.into()),
            };
            if bytes > end - self.at.min(end) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if wire == 2 && bytes <= SHORT && is_short(message, field) {
                let mut value = vec![0; bytes as usize];
                self.input.read_exact(&mut value)?;
                self.at += bytes;
                self.take_bytes(message, field, depth, &value);
            } else if let Some(inner) = message.field(field)
                && wire == 2
                && depth < DEEPEST
            {
                self.message(inner, self.at + bytes, depth + 1)?;
                self.end(inner, depth + 1);
            } else {
                self.input.seek_relative(bytes as i64)?;
                self.at += bytes;
            }
        }
        Ok(())
    }

    fn take_number(&mut self, message: Message, field: u64, number: u64) {
        match (message, field) {
            (Message::Tensor, 1) => {
                self.tensor.1.get_or_insert(number);
            }
            (Message::Attribute, 3) => self.attribute.1 = Some(number),
            _ => {}
        }
    }

    fn take_bytes(&mut self, message: Message, field: u64, depth: usize, mut value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        let is_of_graph = depth == GRAPH + 1;
        match (message, field) {
            (Message::Node, 1) if is_of_graph => self.node.inputs.push(text()),
            (Message::Node, 2) if is_of_graph => self.node.outputs.push(text()),
            (Message::Node, 4) if is_of_graph => self.node.operator = text(),
            (Message::Node, 7) if is_of_graph => self.node.domain = text(),
            (Message::Attribute, 1) => self.attribute.0 = text(),
            // Packed, as most write them.
            (Message::Tensor, 1) => {
                if let Ok((first, _)) = number(&mut value) {
                    self.tensor.1.get_or_insert(first);
                }
            }
            (Message::Tensor, 8) => self.tensor.0 = text(),
            (Message::Tensor, 13) => self.found.locations.extend(location(value)),
            _ => {}
        }
    }

    /// Keeps what has been read of a message.
    fn end(&mut self, message: Message, depth: usize) {
        let is_of_graph = depth == GRAPH + 1;
        match message {
            Message::Node if is_of_graph => self.found.nodes.push(std::mem::take(&mut self.node)),
            Message::Attribute => {
                let (name, number) = std::mem::take(&mut self.attribute);
                if let Some(number) = number.filter(|_| depth == GRAPH + 2) {
                    self.node.attributes.insert(name, number);
                }
            }
            Message::Tensor => {
                let (name, first) = std::mem::take(&mut self.tensor);
                if let Some(first) = first.filter(|_| is_of_graph) {
                    self.found.tensors.insert(name, first);
                }
            }
            _ => {}
        }
    }

    fn number(&mut self) -> io::Result<u64> {
        let (number, bytes) = number(&mut self.input)?;
        self.at += bytes;
        Ok(number)
    }
}

/// Tells whether a field holds a name, dimensions or an entry of external data.
fn is_short(message: Message, field: u64) -> bool {
    matches!(
        (message, field),
        (Message::Attribute, 1) | (Message::Node, 1 | 2 | 4 | 7) | (Message::Tensor, 1 | 8 | 13)
    )
}

/// Reads a number, and returns how many bytes it has.
fn number(input: &mut impl BufRead) -> io::Result<(u64, u64)> {
    let mut number = 0;
    for place in 0..10 {
        let mut byte = [0];
        input.read_exact(&mut byte)?;
        number |= u64::from(byte[0] & 0x7f) << (7 * place);
        if byte[0] < 0x80 {
            return Ok((number, place + 1));
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// Returns the value of an entry whose key is `location`.
fn location(mut entry: &[u8]) -> Option<String> {
    let [mut key, mut value] = [&[][..]; 2];
    while !entry.is_empty() {
        let (tag, _) = number(&mut entry).ok()?;
        let (bytes, _) = number(&mut entry).ok()?;
        let (text, rest) = entry.split_at_checked(usize::try_from(bytes).ok()?)?;
        entry = rest;
        match tag {
            0x0a => key = text,
            0x12 => value = text,
            _ => {}
        }
    }
    (key == b"location").then(|| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2];
        let mut length = bytes.len();
        while length >= 0x80 {
            field.push(length as u8 | 0x80);
            length >>= 7;
        }
        field.push(length as u8);
        field.extend(bytes);
        field
    }

    fn check(graph: &[u8], expected: &[&str]) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, graph).expect("written");
        let found = GraphFile::read(&path).expect("read");
        assert!(found.locations.iter().eq(expected), "{found:?}");
    }

    #[test]
    fn locations_are_found_wherever_a_tensor_is() {
        let entry = |key: &str, value: &str| {
            let entry = [field(1, key.as_bytes()), field(2, value.as_bytes())].concat();
            field(13, &entry)
        };
        let tensor = |location: &str| {
            let raw = field(9, &[7; 300]);
            [raw, entry("location", location), entry("offset", "12")].concat()
        };
        let attribute = field(5, &field(5, &tensor("of a constant")));
        let nodes = field(1, &attribute);
        let inner = field(1, &field(5, &field(6, &field(5, &tensor("weights.bin")))));
        let graph = [field(5, &tensor("weights.bin")), nodes, inner].concat();
        // A version, a name, the graph.
        let model = [vec![0x08, 9], field(2, b"maker"), field(7, &graph)].concat();
        check(&model, &["of a constant", "weights.bin"]);
        // Cut off, it is none.
        check(&model[..model.len() - 20], &[]);
        check(b"", &[]);
        check(b"no graph at all, but text", &[]);
    }

    /// A graph of these nodes, each an operator (with an attribute behind `:`), inputs and an output, and of a table of 300
    /// rows and one of five.
    fn table(nodes: &[(&str, &[&str], &str)]) -> Option<(String, u64)> {
        let text = |number, text: &str| field(number, text.as_bytes());
        let nodes = nodes.iter().flat_map(|(operator, inputs, output)| {
            let inputs = inputs.iter().flat_map(|input| text(1, input));
            let (operator, attribute) = operator.split_once(':').unwrap_or((operator, ""));
            let attribute = attribute.split_once('=').map(|(name, number)| {
                let number = number.parse().expect("a number");
                field(5, &[text(1, name), vec![0x18, number]].concat())
            });
            let inputs = inputs.chain(attribute.unwrap_or_default());
            let node: Vec<u8> = inputs
                .chain(text(2, output))
                .chain(text(4, operator))
                .collect();
            field(1, &node)
        });
        let raw = field(9, &[7; 300]);
        let packed = [field(1, &[0xac, 0x02, 8]), text(8, "words"), raw].concat();
        let single = [vec![0x08, 0x05, 0x08, 0x08], text(8, "positions")].concat();
        let graph: Vec<u8> = nodes
            .chain(field(5, &packed))
            .chain(field(5, &single))
            .collect();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, field(7, &graph)).expect("written");
        let found = GraphFile::read(&path).expect("read");
        let table = found.table("input_ids");
        table.map(|(name, rows)| (name.to_owned(), rows))
    }

    #[test]
    fn the_table_of_tokens_is_found_by_the_ids_that_go_into_it() {
        let words = Some(("words".to_owned(), 300));
        let positions: (&str, &[&str], &str) = ("Gather", &["positions", "places"], "p");
        for (nodes, expected) in [
            (
                &[positions, ("Gather", &["words", "input_ids"], "w")][..],
                words.clone(),
            ),
            (
                &[
                    ("Cast", &["input_ids"], "i"),
                    ("DequantizeLinear", &["words", "scale"], "d"),
                    ("Gather", &["d", "i"], "w"),
                ],
                words.clone(),
            ),
            (
                &[(
                    "EmbedLayerNormalization",
                    &["input_ids", "", "words", "positions"],
                    "e",
                )],
                words,
            ),
            // The shortest of several counts.
            (
                &[
                    ("Gather:axis=0", &["words", "input_ids"], "w"),
                    ("Add", &["words", "positions"], "a"),
                    ("Gather", &["a", "input_ids"], "b"),
                    ("Cast:to=7", &["input_ids"], "i"),
                    ("Gather", &["positions", "i"], "p"),
                ],
                Some(("positions".to_owned(), 5)),
            ),
            // Along another axis, in another form, or by what is no id any more, the rows say nothing.
            (&[("Gather:axis=1", &["words", "input_ids"], "w")], None),
            (
                &[
                    ("Reshape", &["words", "shape"], "r"),
                    ("Gather", &["r", "input_ids"], "w"),
                ],
                None,
            ),
            (
                &[
                    ("Cast:to=9", &["input_ids"], "m"),
                    ("Cast:to=7", &["m"], "i"),
                    ("Gather", &["positions", "i"], "w"),
                ],
                None,
            ),
            // Of a mask of the ids it says nothing.
            (
                &[
                    ("Equal", &["input_ids", "pad"], "m"),
                    ("Gather", &["words", "m"], "w"),
                ],
                None,
            ),
            (&[positions], None),
            (&[("Gather", &["computed", "input_ids"], "w")], None),
        ] {
            assert_eq!(table(nodes), expected, "{nodes:?}");
        }
    }
}
