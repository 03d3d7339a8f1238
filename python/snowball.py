"""Writes crates/snowball/src/*.rs out of a checkout of Snowball, version 3.1.1, whose compiler it builds (make, a C compiler).

Run as `python3 python/snowball.py CHECKOUT`, once for a version of Snowball. The languages are those whose algorithm the
crate snowball_stemmers_rs has in an older version; the crate has the others as they are.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
LANGUAGES = (
    "czech", "danish", "estonian", "finnish", "german", "italian", "lithuanian", "norwegian", "persian", "polish", "sesotho",
)


def main() -> None:
    checkout = pathlib.Path(sys.argv[1])
    subprocess.run(["make", "snowball"], cwd=checkout, check=True, stdout=subprocess.DEVNULL)
    for language in LANGUAGES:
        source, target = f"algorithms/{language}.sbl", ROOT / "crates" / "snowball" / "src" / f"{language}.rs"
        subprocess.run([checkout.resolve() / "snowball", source, "-rust", "-output", target], cwd=checkout, check=True)
        code = target.read_text(encoding="utf-8")
        code = re.sub(r"^#!\[allow\(.*\)\]\n", "", code, flags=re.MULTILINE)
        code = code.replace("use snowball::SnowballEnv;\nuse snowball::Among;\n", "use super::word::{Among, Word};\n")
        code = code.replace("SnowballEnv", "Word").replace("pub fn", "pub(super) fn")
        target.write_text(code, encoding="utf-8", newline="\n")


main()
