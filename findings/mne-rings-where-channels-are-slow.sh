#!/bin/sh
# mne 1.13.2: an EDF with an ECG at 100 Hz and the heart rate once a second is read as two
# channels of 100 Hz. The slow one is not repeated but resampled by FFT, as if it were periodic
# and band-limited: a rate that steps once from 60 to 120 reads below 55 and above 130, values
# that nobody recorded. (edfio 0.4.18 writes the file.)
#
# Seen: "written 60 to 120, read 51 to 129".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mne==1.13.2 edfio==0.4.18
cat > "$folder/try.py" <<'PYTHON'
import edfio
import mne
import numpy as np

ecg = edfio.EdfSignal(np.sin(np.arange(2000) / 10), 100, label="ECG", physical_dimension="mV")
rate = np.repeat([60.0, 120.0], 10)
slow = edfio.EdfSignal(rate, 1, label="HR", physical_dimension="bpm")
edfio.Edf([ecg, slow]).write("rec.edf")
read = mne.io.read_raw_edf("rec.edf", preload=True, verbose="error").get_data()[1]
print(f"written {rate.min():.0f} to {rate.max():.0f}, read {read.min():.0f} to {read.max():.0f}")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "written 60 to 120, read 51 to 129"
