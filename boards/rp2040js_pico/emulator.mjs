// An RP2040 with a program in its flash, and its UART0 on a socket that the caller listens on.
//
//     node emulator.mjs firmware.bin FD
//     node emulator.mjs firmware.bin -      standard output instead; ends as semihosting tells it to
//
// rp2040js brings no boot ROM: the boot stage at the start of the flash is run in place, with LR = 0
// as the ROM calls it, and the firmware sees that nothing can write the flash. Time is virtual: an
// instruction takes its cycles, and a wait for an interrupt none of ours. A watchdog reset starts
// the chip anew with what outlives it: RAM and the watchdog's scratch registers.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const { ConsoleLogger, LogLevel, Simulator } = await import('rp2040js').catch(() => {
  const here = fileURLToPath(new URL('.', import.meta.url));
  console.error(`rp2040js is not installed: run npm ci --prefix ${here}`);
  process.exit(2);
});

const FLASH_START = 0x10000000;
const ROM_STACK = 0x20041f00; // where the ROM's own stack ends when it calls the boot stage
const CYCLE_NS = 8; // 125 MHz
const SLICE_NS = 2_000_000; // between looks at the socket
const BYTE_NS = 21_700; // at 460,800 baud

const [image, fd] = process.argv.slice(2);
const program = readFileSync(image);

let link = null; // the host's socket, once it is there
let started = false;
let waiting = Buffer.alloc(0); // bytes that the UART has not taken yet
let said = [];
let chip = boot(null);

function watchdogOf(mcu) {
  return mcu.peripherals[0x40058];
}

function boot(before) {
  const { rp2040: mcu, clock } = new Simulator();
  mcu.logger = new ConsoleLogger(LogLevel.Error, false);
  mcu.flash.set(program);
  if (before !== null) {
    mcu.sram.set(before.mcu.sram);
    watchdogOf(mcu).scratchData.set(watchdogOf(before.mcu).scratchData);
    watchdogOf(mcu).reason = watchdogOf(before.mcu).reason;
  }
  const made = { mcu, clock, restart: false };
  watchdogOf(mcu).onWatchdogTrigger = () => {
    made.restart = true;
    watchdogOf(mcu).alarm.enable = false; // else it is due again at once, and a tick never ends
  };
  mcu.onBreak = end;
  mcu.uart[0].onByte = (byte) => said.push(byte);
  mcu.core.registers[13] = ROM_STACK;
  mcu.core.registers[14] = 0;
  mcu.core.PC = FLASH_START;
  return made;
}

// A byte at a time, no faster than the line; whether the firmware takes it in time is its own affair.
function feed() {
  if (waiting.length > 0 && !chip.mcu.uart[0].rxFIFO.full) {
    chip.mcu.uart[0].feedByte(waiting[0]);
    waiting = waiting.subarray(1);
  }
}

function run() {
  const { mcu, clock } = chip;
  const end = clock.nanos + SLICE_NS;
  let next = clock.nanos;
  while (clock.nanos < end && !chip.restart) {
    if (clock.nanos >= next) {
      feed();
      next = clock.nanos + BYTE_NS;
    }
    const at = mcu.core.PC;
    const cycles = mcu.core.waiting ? 0 : mcu.core.executeInstruction();
    if (cycles === 0 || mcu.core.PC === at) { // a branch to itself waits for an interrupt, too
      const line = waiting.length > 0 ? next - clock.nanos : Infinity;
      clock.tick(Math.max(CYCLE_NS, Math.min(clock.nanosToNextAlarm, line, end - clock.nanos)));
    } else {
      clock.tick(cycles * CYCLE_NS);
    }
  }
  if (chip.restart) {
    chip = boot(chip);
  }
  if (said.length > 0) {
    link?.write(Buffer.from(said));
    said = [];
  }
  setImmediate(run);
}

// Semihosting's SYS_EXIT_EXTENDED (Arm IHI 0061, 7.6): r0 names the call, r1 a block with the code.
const SEMIHOSTING = 0xab;
const SYS_EXIT_EXTENDED = 0x20;

function end(code) {
  const [call, block] = chip.mcu.core.registers;
  if (code === SEMIHOSTING && call === SYS_EXIT_EXTENDED) {
    process.stdout.write(Buffer.from(said), () => process.exit(chip.mcu.readUint32(block + 4)));
    said = [];
  }
}

// The first host starts the chip; like a board it goes on when a host leaves, and meets the next one.
const server = createServer((socket) => {
  const first = link === null && !started;
  link = socket;
  socket.setNoDelay(true);
  socket.on('data', (bytes) => {
    waiting = Buffer.concat([waiting, bytes]);
  });
  socket.on('close', () => {
    link = link === socket ? null : link;
  });
  socket.on('error', () => socket.destroy());
  if (first) {
    started = true;
    run();
  }
});

if (fd === '-') {
  link = process.stdout;
  run();
} else {
  server.listen({ fd: Number(fd) });
}
