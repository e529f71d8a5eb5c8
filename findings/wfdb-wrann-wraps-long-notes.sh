#!/bin/sh
# wfdb 4.3.1: `wrann` writes the length of an annotation's note (aux_note) modulo 256, and all of
# its characters. A note of 302 characters, a legal string, makes a file of two annotations that
# reads back as 130: what lies beyond the note's 46th character is taken for annotations, and
# those after it are moved by minutes. No error, neither writing nor reading; the format itself
# (annot(5)) ends at 255.
#
# Seen: "2 written, 130 read, the second at 45204 instead of 20" is the last one's place.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check wfdb==4.3.1
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
import wfdb

notes = ["(N" + "a" * 300, ""]
wfdb.wrann("rec", "atr", np.array([10, 20]), symbol=["+", "N"], aux_note=notes, fs=360)
read = wfdb.rdann("rec", "atr")
print(f"2 written, {len(read.sample)} read, the last at {read.sample[-1]} instead of 20")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "2 written, 130 read, the last at 45204 instead of 20"
