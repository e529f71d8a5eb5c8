#!/bin/sh
# edf-reader 0.1.3 takes the text of an EDF+ annotation for its duration: of an EDF+D file it returns
# those annotations alone whose text is a number, as durations without a text ("72", a heart rate,
# becomes 72 s), and drops the others, those with a duration among them, without a word. Of continuous
# files it returns none. (edfio 0.4.18 writes the file.)
#
# Seen: "3 written; EDF+C: []; EDF+D: [(2.5, 72.0, '')]".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    edf-reader==0.1.3 edfio==0.4.18 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
from pathlib import Path

import edfio
import numpy as np
from edf_reader import EdfWrapper

signal = edfio.EdfSignal(np.zeros(400), 100, label="ECG", physical_range=(-1, 1))
notes = [(0.5, None, "N"), (1.5, 0.25, "lead off"), (2.5, None, "72")]
notes = [edfio.EdfAnnotation(*note) for note in notes]
said = []
for kind in (b"EDF+C", b"EDF+D"):
    edfio.Edf([signal], data_record_duration=1, annotations=notes).write("rec.edf")
    path = Path("rec.edf")
    path.write_bytes(path.read_bytes().replace(b"EDF+C", kind))
    read = [(a["onset"], a["duration"], a["annotation"]) for a in EdfWrapper("rec.edf").annotations]
    said.append(f"{kind.decode()}: {read}")
print("; ".join([f"{len(notes)} written", *said]))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "3 written; EDF+C: []; EDF+D: [(2.5, 72.0, '')]"
