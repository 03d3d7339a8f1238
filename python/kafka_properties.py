"""Writes crates/kafka/src/options/properties.rs from librdkafka's own list of its properties.

    python kafka_properties.py LIBRDKAFKA

LIBRDKAFKA is the folder of its source inside the crate rdkafka-sys. CONFIGURATION.md says which names there are and
which client takes them, src/rdkafka_conf.c which of them are secret. Run it again when rdkafka-sys is upgraded: a test
tells.
"""

import pathlib
import re
import sys

SIDES = {"*": "Both", "C": "Consumer", "P": "Producer"}

HEAD = '''//! The properties of librdkafka, written by `python/kafka_properties.py`: names, who takes them, which are secret.

/// The version of librdkafka that the list was taken from.
#[cfg(test)]
pub(super) const VERSION: &str = "{version}";

/// Which client takes a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {{
    Both,
    Consumer,
    Producer,
}}

/// A property of librdkafka that a text can set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Property {{
    pub name: &'static str,
    /// The name that this one is another name of; its own, mostly.
    pub stands_for: &'static str,
    pub side: Side,
    pub secret: bool,
}}

const fn property(
    name: &'static str,
    stands_for: &'static str,
    side: Side,
    secret: bool,
) -> Property {{
    Property {{
        name,
        stands_for,
        side,
        secret,
    }}
}}

/// Every property, alphabetical; those that only a program can set, such as callbacks, are left out.
#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = &[
'''


def main(source: pathlib.Path) -> None:
    version = re.search(r"librdkafka v([\d.]+)", (source / "CHANGELOG.md").read_text()).group(1)
    code = (source / "src/rdkafka_conf.c").read_text()
    secret = set(re.findall(r'_RK_SENSITIVE,\s*"([^"]+)"', code))
    found = {}
    for line in (source / "CONFIGURATION.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 6 or cells[1] not in SIDES or "see dedicated API" in line:
            continue
        alias = re.search(r"Alias for `([^`]+)`", line)
        # A name of both a client and a topic is set on the client.
        found.setdefault(cells[0], (alias.group(1) if alias else cells[0], SIDES[cells[1]]))
    secret |= {name for name, (stands_for, _) in found.items() if stands_for in secret}
    lines = [
        f'    property("{name}", "{stands_for}", Side::{side}, {str(name in secret).lower()}),'
        for name, (stands_for, side) in sorted(found.items())
    ]
    text = HEAD.format(version=version) + "\n".join(lines) + "\n];\n"
    (pathlib.Path(__file__).parent.parent / "crates/kafka/src/options/properties.rs").write_text(text)


main(pathlib.Path(sys.argv[1]))
