#!/bin/sh
# wfdb 4.3.1: `io.convert.edf.read_edf` of an EDF whose signals have different rates (an ECG at 100 Hz
# beside a heart rate at 1 Hz, as every sleep laboratory's) averages the faster ones down to the
# slowest's rate, and does not convert them: `p_signal` of a signal with more than one sample a frame
# holds counts, labelled mV. The slowest signal and files of one rate are right, and nothing is said.
# (pyedflib 0.1.42 writes the files.)
#
# Seen: "1 mV alone: 1 mV at 100 Hz; beside a heart rate: 6553 mV at 1 Hz".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check wfdb==4.3.1 pyedflib==0.1.42
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
import pyedflib
from wfdb.io.convert.edf import read_edf


def header(label, rate, unit, low, high):
    said = dict(label=label, dimension=unit, sample_frequency=rate, transducer="", prefilter="")
    return said | dict(physical_min=low, physical_max=high, digital_min=-32768, digital_max=32767)


def ecg_read(*more):
    writer = pyedflib.EdfWriter("rec.edf", 1 + len(more), file_type=pyedflib.FILETYPE_EDF)
    writer.setSignalHeaders([header("ECG", 100, "mV", -5, 5), *(h for h, _ in more)])
    writer.writeSamples([np.full(1000, 1.0), *(x for _, x in more)])
    writer.close()
    record = read_edf("rec.edf")
    return f"{record.p_signal[5, 0]:.0f} {record.units[0]} at {record.fs} Hz"


rate = (header("HR", 1, "bpm", 0, 300), np.full(10, 72.0))
print(f"1 mV alone: {ecg_read()}; beside a heart rate: {ecg_read(rate)}")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "1 mV alone: 1 mV at 100 Hz; beside a heart rate: 6553 mV at 1 Hz"
