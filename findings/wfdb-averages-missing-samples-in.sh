#!/bin/sh
# wfdb 4.3.1: `rdrecord` averages the samples of a frame where a signal has several (smooth_frames,
# the default), and takes the code for "no sample" (-32768 in format 16) for one of them: a frame
# whose other samples are 0 reads as a quarter of that code, -40.96 mV, instead of a NaN or of the
# others' mean. With smooth_frames=False the same sample is a NaN. The mean is cut off towards zero,
# too: of 1, 1, 2, 2 and of -1, -1, -2, -2 half a step is lost.
#
# Seen: "sample 3 missing; frames in mV: -40.96, 0.005, -0.005".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check wfdb==4.3.1
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
import wfdb

samples = [0, 0, 0, -32768, 1, 1, 2, 2, -1, -1, -2, -2]
np.array(samples, "<i2").tofile("rec.dat")
with open("rec.hea", "w") as header:
    header.write("rec 1 100 3\nrec.dat 16x4 200 16 0 0 0 0 II\n")
smooth = wfdb.rdrecord("rec").p_signal[:, 0]
apart = wfdb.rdrecord("rec", smooth_frames=False).e_p_signal[0]
missing = ", ".join(str(i) for i in np.flatnonzero(np.isnan(apart)))
print(f"sample {missing} missing; frames in mV: {smooth[0]:.2f}, {smooth[1]}, {smooth[2]}")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "sample 3 missing; frames in mV: -40.96, 0.005, -0.005"
