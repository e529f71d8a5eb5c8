#!/bin/sh
# wfdb 4.3.1: `io.convert.matlab.wfdb_to_mat` writes 0 for a sample that is missing (a NaN that is
# cast to a whole number), with the record's own gain and baseline beside it. A reader, wfdb too,
# takes it for a sample of -baseline/gain: here 100 counts below zero, -0.5 mV, while -32768 would
# have been no sample again. Numpy's warning about a cast is all that is said.
#
# Seen: "nan mV, in the .mat 0, read again -0.5 mV".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check wfdb==4.3.1 scipy==1.17.1
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
import scipy.io
import wfdb
from wfdb.io.convert.matlab import wfdb_to_mat

digital = np.array([100, 300, -32768, 300, 100])[:, None]
layout = dict(fs=100, units=["mV"], sig_name=["II"], fmt=["16"], adc_gain=[200.0], baseline=[100])
wfdb.wrsamp("rec", d_signal=digital, **layout)
wfdb_to_mat("rec")
stored = scipy.io.loadmat("recm.mat")["val"][0]
before, after = (wfdb.rdrecord(name).p_signal[2, 0] for name in ("rec", "recm"))
print(f"{before} mV, in the .mat {stored[2]}, read again {after} mV")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "nan mV, in the .mat 0, read again -0.5 mV"
