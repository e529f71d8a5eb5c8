#!/bin/sh
# pyedflib 0.1.42: an EDF+ or BDF+ file has room for one annotation a data record, that is a second,
# unless `set_number_of_annotation_signals` was called before the first sample. `writeAnnotation`
# takes all that come, answers 0 as for success, and `close` drops those that found no room: of 10 s
# with a beat every half second the last five seconds have none. `highlevel.write_edf` drops them
# likewise. Beats as annotations need set_number_of_annotation_signals(4), for 240 a minute.
#
# Seen: "20 written; room as it is: answers {0}, 10 read, last at 4.5 s; room 4: answers {0}, 20 read,
# last at 9.5 s".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyedflib==0.1.42
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
import pyedflib

signal = dict(label="ECG", dimension="mV", sample_frequency=100, transducer="", prefilter="")
signal |= dict(physical_min=-5, physical_max=5, digital_min=-32768, digital_max=32767)
said = []
for room in (None, 4):
    writer = pyedflib.EdfWriter("rec.edf", 1, file_type=pyedflib.FILETYPE_EDFPLUS)
    writer.setSignalHeaders([signal])
    if room:
        writer.set_number_of_annotation_signals(room)
    writer.writeSamples([np.zeros(1000)])
    answers = {writer.writeAnnotation(beat / 2, -1, "N") for beat in range(20)}
    writer.close()
    reader = pyedflib.EdfReader("rec.edf")
    onsets = reader.readAnnotations()[0]
    reader.close()
    said.append(f"room {room or 'as it is'}: answers {answers}, {len(onsets)} read, last at {onsets[-1]} s")
print("; ".join(["20 written", *said]))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "20 written; room as it is: answers {0}, 10 read, last at 4.5 s; room 4: answers {0}, 20 read, last at 9.5 s"
