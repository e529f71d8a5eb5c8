#!/bin/sh
# ecgdatakit 2.0.3: `Lead.sampling_rate` is the nearest whole number, whatever the format: a WFDB
# record at 62.4725 Hz has leads at 62 Hz, on which its filters and detectors work, and marks that are
# placed by it drift by 27 s an hour; 249.87 Hz becomes 250. The exact rate is kept in raw_metadata
# and in the duration, and no warning is given. Samples without a value (-32768) are -163.84 mV in the
# lead; raw_metadata counts them.
#
# Seen: "62.4725 Hz: 62; 249.87 Hz: 250; missing sample: -163.84 mV, 0 warnings".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ecgdatakit==2.0.3 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import warnings

import numpy as np
from ecgdatakit import FileParser

samples = np.array([0, 100, -32768, 200] * 200, "<i2")
samples.tofile("rec.dat")
check = int(samples.sum(dtype=int)) & 0xFFFF
said = []
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    for rate in ("62.4725", "249.87"):
        with open("rec.hea", "w") as header:
            header.write(f"rec 1 {rate} 800\nrec.dat 16 200/mV 16 0 0 {check} 0 II\n")
        lead = FileParser().parse("rec.hea").leads[0]
        said.append(f"{rate} Hz: {lead.sampling_rate}")
said.append(f"missing sample: {lead.samples[2]:.2f} {lead.units}, {len(told)} warnings")
print("; ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "62.4725 Hz: 62; 249.87 Hz: 250; missing sample: -163.84 mV, 0 warnings"
