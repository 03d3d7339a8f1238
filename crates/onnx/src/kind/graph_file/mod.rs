//! What a graph's file says before it is run: which files hold its large tensors, and how many tokens it knows.

mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// What a graph's file says.
#[derive(Debug, Default)]
pub(in crate::kind) struct GraphFile {
    /// Locations of external data, relative to the graph's folder.
    pub(in crate::kind) locations: BTreeSet<String>,
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
    pub(in crate::kind) fn read(graph: &Path) -> io::Result<Self> {
        walk::read(graph)
    }

    /// Returns the shortest table in which the ids of an input are looked up, by its name and its rows; none where the
    /// graph does that in another way.
    pub(in crate::kind) fn table(&self, input: &str) -> Option<(&str, u64)> {
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
