#!/bin/sh
# mne 1.13.2: `crop` leaves meas_date as it was and keeps what was cut off in `first_samp`; `export`
# to EDF writes meas_date for the start. The exported part of a night then begins at the night's
# start: 11 s cut off are 11 s that every clock time is early. Annotations keep their place beside the
# signal. (edfio 0.4.18 reads the file; MNE itself reads the wrong time, too.)
#
# Seen: "begins at 22:00:11, file says 22:00:00; beat at 22:00:15, file says 22:00:04".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    mne==1.13.2 edfio==0.4.18 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import datetime

import edfio
import mne
import numpy as np

start = datetime.datetime(2020, 1, 1, 22, 0, 0, tzinfo=datetime.timezone.utc)
info = mne.create_info(["ECG"], 100, ["ecg"], verbose="error")
raw = mne.io.RawArray(1e-3 * np.sin(np.arange(3000) / 10)[None], info, verbose="error")
raw.set_meas_date(start)
raw.set_annotations(mne.Annotations([15], [0], ["beat"], orig_time=start))
raw.crop(11, 20.99).export("rec.edf", verbose="error")
edf = edfio.read_edf("rec.edf")
clock = datetime.datetime.combine(edf.startdate, edf.starttime)
beat = clock + datetime.timedelta(seconds=edf.annotations[0].onset)
print(f"begins at 22:00:11, file says {clock:%H:%M:%S}; beat at 22:00:15, file says {beat:%H:%M:%S}")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "begins at 22:00:11, file says 22:00:00; beat at 22:00:15, file says 22:00:04"
