#!/bin/sh
# pydicom 3.0.2: `Dataset.waveform_array` scales an ECG's samples, and with them those that the file
# declares missing (Waveform Padding Value): of 5 uV a count, -32768 reads as -163.84 mV, among a lead
# that ends early or was off. No warning; who averages or filters such a lead has lost it. A
# comparison with the element that the file has for it is the reader's own work.
#
# Seen: "200 counts: 1000 uV; padding: -163840 uV".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pydicom==3.0.2 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

counts = np.array([[200], [-32768]], "<i2")
lead = Dataset()
lead.ChannelSensitivity, lead.ChannelBaseline = "5", "0"
lead.ChannelSensitivityCorrectionFactor = "1"
group = Dataset()
group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = 1, 2
group.SamplingFrequency = "500"
group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
group.add_new(0x5400100A, "OW", b"\x00\x80")  # Waveform Padding Value: -32768
group.ChannelDefinitionSequence = Sequence([lead])
group.WaveformData = counts.tobytes()
dataset = Dataset()
dataset.file_meta = FileMetaDataset()
dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
dataset.WaveformSequence = Sequence([group])
read = dataset.waveform_array(0)[:, 0]
print(f"200 counts: {read[0]:.0f} uV; padding: {read[1]:.0f} uV")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "200 counts: 1000 uV; padding: -163840 uV"
