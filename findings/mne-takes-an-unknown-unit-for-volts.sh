#!/bin/sh
# mne 1.13.2: `read_raw_edf` scales by the channel's physical dimension where it is spelled as MNE
# knows it (mV, uV), and takes every other spelling for volts without a warning: an ECG of 1 "mv"
# or "milliV", which devices do write, becomes 1 V. (edfio 0.4.18 writes the files.)
#
# Seen: "mV: 0.001 V; mv: 1.0 V; milliV: 1.0 V; 0 warnings".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mne==1.13.2 edfio==0.4.18
cat > "$folder/try.py" <<'PYTHON'
import warnings

import edfio
import mne
import numpy as np

said = []
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    for unit in ("mV", "mv", "milliV"):
        signal = edfio.EdfSignal(np.linspace(-1, 1, 1000), 100, label="ECG", physical_dimension=unit)
        edfio.Edf([signal]).write("rec.edf")
        raw = mne.io.read_raw_edf("rec.edf", preload=True, verbose="warning")
        said.append(f"{unit}: {float(raw.get_data().max()):.4g} V")
said = [s.replace(": 1 V", ": 1.0 V") for s in said]
print("; ".join([*said, f"{len(told)} warnings"]))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "mV: 0.001 V; mv: 1.0 V; milliV: 1.0 V; 0 warnings"
