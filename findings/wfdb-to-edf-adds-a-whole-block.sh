#!/bin/sh
# wfdb 4.3.1: `io.convert.edf.wfdb_to_edf` cuts a record into blocks of ten seconds, and gives a
# record that is exactly n blocks long one more, of nothing but -32768: 10 s at 100 Hz become 20
# s, the last ten of them at -32.768 mV. Nothing in the file says that they are no signal.
#
# Seen: "900 samples: 1000; 1000 samples: 2000; what was added: -32768".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check wfdb==4.3.1 edfio==0.4.18
cat > "$folder/try.py" <<'PYTHON'
import edfio
import numpy as np
import wfdb
from wfdb.io.convert.edf import wfdb_to_edf

layout = dict(fs=100, units=["mV"], sig_name=["II"], fmt=["16"], adc_gain=[1000.0], baseline=[0])
said = []
for n in (900, 1000):
    wfdb.wrsamp("rec", d_signal=np.arange(n)[:, None] % 500, **layout)
    wfdb_to_edf("rec", output_filename="rec.edf")
    digital = edfio.read_edf("rec.edf").signals[0].digital
    said.append(f"{n} samples: {len(digital)}")
said.append(f"what was added: {', '.join(str(v) for v in np.unique(digital[n:]))}")
print("; ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "900 samples: 1000; 1000 samples: 2000; what was added: -32768"
