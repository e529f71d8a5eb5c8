/* firmware/app/ein_port.h for QEMU's `sim` machine, by the simulator's calls (Xtensa ISS: a console
   that does not wait, and an end). There are no interrupts in use, no ADC and no watchdog. */
#include "ein_port.h"

#include "board.h"
#include "build.h"
#include "kept.h"
#include "memory.h"
#include "report.h"

enum { SYS_READ = 3, SYS_WRITE = 4 };
enum { STDIN = 0, STDOUT = 1 };

/* The console keeps what is not fetched at the host's end of the line, without a limit. */
#define RX_BYTES 1024u
/* 40 MHz: 64 ns, an instruction with `-icount shift=6`, are 2.56 cycles. */
#define CYCLES 64u
#define INSTRUCTIONS 25u
#define IDLE_INSTRUCTIONS 150000u /* 10 ms */

int main(void);
void ein_start(void) __attribute__((noreturn));
void _start_again(void) __attribute__((noreturn));
int32_t _simcall(uint32_t call, uint32_t file, const void *bytes, uint32_t n);
void ein_fault_report(uint32_t cause, uint32_t pc, uint32_t value, uint32_t sp)
    __attribute__((noreturn));

static ein_reset_reason_t reset_reason;
static uint8_t ahead; /* a byte that ended a sleep */
static bool has_ahead;

void ein_start(void)
{
    ein_memory_init();
    main();
    for (;;) {
    }
}

static void __attribute__((noreturn)) restart(ein_reset_reason_t reason)
{
    _kept = (ein_kept_t){.magic = EIN_KEPT_MAGIC, .reason = (uint32_t)reason};
    _start_again();
}

/* A line of text between two frame delimiters, which the host shows. */
void ein_fault_report(uint32_t cause, uint32_t pc, uint32_t value, uint32_t sp)
{
    char line[96];
    char *end = line;
    *end++ = '\0';
    end = ein_put_register(end, "fault: exccause=", cause);
    end = ein_put_register(end, " epc1=", pc);
    end = ein_put_register(end, " excvaddr=", value);
    if (sp < (uint32_t)(uintptr_t)_stack_bottom) {
        end = ein_put_text(end, " stack overflow");
    }
    end = ein_put_text(end, "\r\n");
    *end++ = '\0';
    (void)ein_port_write((const uint8_t *)line, (size_t)(end - line));
    restart(EIN_RESET_FAULT);
}

void ein_port_init(void)
{
    if (_kept.magic == EIN_KEPT_MAGIC) {
        _kept.magic = 0;
        reset_reason = (ein_reset_reason_t)_kept.reason;
    }
}

void ein_port_info(ein_port_info_t *info)
{
    *info = (ein_port_info_t){
        .board = EIN_BOARD_NAME,
        .build = EIN_BUILD,
        .serial = "",
        .count_unit = EIN_COUNT_INSTRUCTIONS,
        .reset_reason = reset_reason,
        .rx_buffer_bytes = RX_BYTES,
        .adc_bits = 12,
        .adc_gain_lsb_per_mv = EIN_BOARD_GAIN_LSB_PER_MV,
        .adc_rail_lo = -2048,
        .adc_rail_hi = 2047,
        .stack_bytes = ein_stack_bytes(),
        .stack_used_bytes = ein_stack_used_bytes(),
        .rx_overruns = 0,
    };
}

size_t ein_port_read(uint8_t *bytes, size_t n)
{
    size_t got = 0;
    if (has_ahead && n > 0) {
        bytes[got++] = ahead;
        has_ahead = false;
    }
    while (got < n) {
        const int32_t some = _simcall(SYS_READ, STDIN, bytes + got, n - got);
        if (some <= 0) {
            break;
        }
        got += (size_t)some;
    }
    return got;
}

size_t ein_port_write(const uint8_t *bytes, size_t n)
{
    const int32_t put = n > 0 ? _simcall(SYS_WRITE, STDOUT, bytes, n) : 0;
    return put > 0 ? (size_t)put : 0;
}

/* Read more often than the counter wraps, every 107 s at least. */
uint32_t ein_port_count(void)
{
    static uint32_t last;
    static uint64_t cycles;
    uint32_t now;
    __asm volatile("rsr %0, ccount" : "=r"(now));
    cycles += now - last;
    last = now;
    return (uint32_t)((cycles * INSTRUCTIONS + CYCLES / 2u) / CYCLES);
}

void ein_port_poll(bool idle)
{
    const uint32_t start = ein_port_count();
    while (idle && !has_ahead && ein_port_count() - start < IDLE_INSTRUCTIONS) {
        has_ahead = _simcall(SYS_READ, STDIN, &ahead, 1) == 1;
    }
}

bool ein_port_adc(int16_t *sample, uint32_t *dropped)
{
    (void)sample;
    *dropped = 0;
    return false;
}

void ein_port_reset(void)
{
    restart(EIN_RESET_SOFTWARE);
}
