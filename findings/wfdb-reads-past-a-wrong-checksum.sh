#!/bin/sh
# wfdb 4.3.1: a WFDB header has a checksum of each signal, which `wrsamp` writes and `rdrecord`
# hands out, but never compares: a signal file with a flipped bit is read without error or
# warning. Who wants to know whether a record is whole sums up the samples.
#
# Seen: "1 sample differs, header says 32368, samples say 32304, no warning".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check wfdb==4.3.1
cat > "$folder/try.py" <<'PYTHON'
import warnings

import numpy as np
import wfdb

digital = np.round(1000 * np.sin(np.arange(3600) / 20)).astype(int)[:, None]
layout = dict(fs=360, units=["mV"], sig_name=["II"], fmt=["16"], adc_gain=[200.0], baseline=[0])
wfdb.wrsamp("rec", d_signal=digital, **layout)
content = bytearray(open("rec.dat", "rb").read())
content[100] ^= 0x40
open("rec.dat", "wb").write(content)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    record = wfdb.rdrecord("rec", physical=False)
differ = int((record.d_signal != digital).sum())
now = int(record.d_signal.sum()) & 0xFFFF
warned = "a" if told else "no"
print(f"{differ} sample differs, header says {record.checksum[0]}, samples say {now}, {warned} warning")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "1 sample differs, header says 32368, samples say 32304, no warning"
