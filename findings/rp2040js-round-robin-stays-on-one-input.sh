#!/bin/sh
# rp2040js 1.4.1 (npm): the ADC's round robin (CS.RROBIN) never gets to inputs 1 to 3. After a
# conversion the next input's number is masked with the field's place (12) instead of its width (7),
# which leaves 0 of 1, 2 and 3: firmware that samples two leads in turn reads the first one twice, at
# half its rate, and AINSEL says 0. The RP2040 goes on to the next input whose bit is set and tells it
# in AINSEL (its register description). An input that is chosen by AINSEL is read rightly.
#
# Seen: "inputs hold 100, 200, 300; in turn: 100 100 100 100; chosen one by one: 100 200 300".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund rp2040js@1.4.1 >/dev/null
cat > try.mjs <<'JAVASCRIPT'
import { Simulator } from 'rp2040js';

const CS = 0x4004c000, RESULT = CS + 4;
const EN = 1, START_ONCE = 1 << 2, READY = 1 << 8;
const { rp2040: chip, clock } = new Simulator();
chip.adc.channelValues = [100, 200, 300, 400, 500];

function convert(cs) {
  chip.writeUint32(CS, cs | EN | START_ONCE);
  clock.tick(3000); // ns; a conversion takes 2000
  if (!(chip.readUint32(CS) & READY)) throw new Error('not ready');
  return chip.readUint32(RESULT);
}

const turns = [0, 1, 2, 3].map(() => convert((0b111 << 16) | (chip.readUint32(CS) & 0x7000)));
const chosen = [0, 1, 2].map((input) => convert(input << 12));
console.log(`inputs hold 100, 200, 300; in turn: ${turns.join(' ')}; chosen one by one: ${chosen.join(' ')}`);
JAVASCRIPT
seen=$(node try.mjs)
echo "$seen"
test "$seen" = "inputs hold 100, 200, 300; in turn: 100 100 100 100; chosen one by one: 100 200 300"
