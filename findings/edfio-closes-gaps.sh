#!/bin/sh
# edfio 0.4.18 reads a discontinuous EDF+ file (EDF+D) as if nothing were missing: the samples of its data records
# follow each other, `duration` leaves the pauses out, and no warning is given; only `is_continuous`
# says so, to who asks. Annotations keep their real onsets, so that those after a gap lie later than
# their samples, or beyond the end. (pyedflib 0.1.42 refuses such files.)
#
# Seen: "continuous False, 4.0 s of signal, annotation at 5.5 s, 0 warnings".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check edfio==0.4.18 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import re
import sys
import warnings
from pathlib import Path

import edfio
import numpy as np

path = Path(sys.argv[1]) / "d.edf"
signal = edfio.EdfSignal(np.zeros(400), 100, label="ECG", physical_range=(-1, 1))
note = edfio.EdfAnnotation(3.5, None, "note")
edfio.Edf([signal], data_record_duration=1, annotations=[note]).write(path)
data = path.read_bytes().replace(b"EDF+C", b"EDF+D")
for second in (2, 3):  # the third and the fourth second began 2 s late
    data = re.sub(rb"\+%d\x14\x14" % second, b"+%d\x14\x14" % (second + 2), data, count=1)
path.write_bytes(data.replace(b"+3.5\x14", b"+5.5\x14"))
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    edf = edfio.read_edf(path)
    seconds = len(edf.signals[0].data) / 100
print(
    f"continuous {edf.is_continuous}, {seconds} s of signal, annotation at "
    f"{edf.annotations[0].onset} s, {len(said)} warnings"
)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/try.py" "$folder")
echo "$seen"
test "$seen" = "continuous False, 4.0 s of signal, annotation at 5.5 s, 0 warnings"
