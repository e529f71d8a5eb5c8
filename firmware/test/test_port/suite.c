/* The port keeps what ein_port.h promises: it counts, says how much stack was used, survives a
   fault and says so. The program starts twice: the second time after the fault that it made itself.
 */
#include <string.h>

#include "ein_port.h"
#include "harness.h"

#define LOOPS 100000u

/* Not inlined: what surrounds it would be counted too. */
static uint32_t __attribute__((noinline)) count_loop(uint32_t loops)
{
    const uint32_t start = ein_port_count();
#ifdef __riscv
    __asm volatile("1: addi %0, %0, -1\n bnez %0, 1b" : "+r"(loops));
#elif defined(__XTENSA__)
    __asm volatile("1: addi %0, %0, -1\n bnez %0, 1b" : "+r"(loops));
#else
    /* ARMv6-M's assembler wants to be told that the short form's other name is meant. */
    __asm volatile(".syntax unified\n1: subs %0, %0, #1\n bne 1b" : "+l"(loops)::"cc");
#endif
    return ein_port_count() - start;
}

static void check_counter(const ein_port_info_t *info)
{
    const uint32_t once = count_loop(LOOPS);
    const uint32_t twice = count_loop(2 * LOOPS);
    if (info->count_unit == EIN_COUNT_INSTRUCTIONS) {
        ein_test_equal(twice - once, 2 * LOOPS, "the counter counts instructions");
        ein_test_equal(count_loop(LOOPS), once, "the counter repeats");
    } else {
        ein_test_check(twice > once, "the counter counts");
    }
}

/* Instructions pass while the board sleeps, as virtual time does, at 128 ns at most each; cycles
   may stand still. */
static void check_idle(const ein_port_info_t *info)
{
    const uint32_t start = ein_port_count();
    ein_port_poll(true);
    const uint32_t slept = ein_port_count() - start;
    if (info->count_unit == EIN_COUNT_INSTRUCTIONS) {
        ein_test_check(slept > 50000, "idle sleeps, and ends");
    }
}

#ifdef EIN_TEST_NO_ADC
static void check_stream(const ein_port_info_t *info)
{
    int16_t sample;
    uint32_t lost;
    (void)info;
    ein_test_check(!ein_port_adc(&sample, &lost), "a board without an ADC has no samples");
}
#else
static void check_stream(const ein_port_info_t *info)
{
    enum { SAMPLES = 18 };
    uint32_t lost = 0, got = 0, out_of_range = 0;
    int16_t sample = 0;
    const uint32_t start = ein_port_count();
    for (uint32_t turns = 0; got < SAMPLES && turns < 10000; turns++) {
        if (ein_port_adc(&sample, &lost)) {
            got++;
            out_of_range += sample < info->adc_rail_lo || sample > info->adc_rail_hi;
        } else {
            ein_port_poll(true);
        }
    }
    const uint32_t count = ein_port_count() - start;
    ein_test_equal(got, SAMPLES, "the ADC samples");
    ein_test_equal(out_of_range, 0, "samples out of the ADC's range");
    ein_test_equal(lost, 0, "samples lost");
    if (info->count_unit == EIN_COUNT_INSTRUCTIONS) {
        /* Nanoseconds of virtual time; more when the emulator itself is kept waiting. */
        ein_test_check(count > 95000000, "18 samples take 0.1 s or more");
    }
    /* Nobody fetches them for a while: longer than the ring lasts, 0.2 s. */
    for (uint32_t turns = 0; turns < 60; turns++) {
        (void)count_loop(5000000);
        ein_port_poll(false);
    }
    uint32_t after = 0, missing = 0;
    while (ein_port_adc(&sample, &lost)) {
        after++;
        missing += lost;
    }
    ein_test_check(after > 1, "the newest samples are kept back");
    for (uint32_t turns = 0; missing == 0 && turns < 100; turns++) {
        if (ein_port_adc(&sample, &lost)) {
            missing += lost;
        } else {
            ein_port_poll(true);
        }
    }
    ein_test_check(missing > 0, "samples that had no room are told");
}
#endif

/* Grows the stack until it leaves RAM. */
static uint32_t __attribute__((noinline)) overflow(uint32_t depth)
{
    volatile uint32_t frame[64];
    frame[0] = depth;
    if (depth == UINT32_MAX) {
        return 0;
    }
    return overflow(depth + 1) + frame[0];
}

void ein_test_suite(void)
{
    ein_port_info_t info;
    ein_port_info(&info);
    ein_test_check(strlen(info.board) > 0, "the board has a name");
    if (info.reset_reason == EIN_RESET_SOFTWARE) {
        ein_test_check(true, "the reset is told");
        ein_test_expect_fault();
        (void)overflow(0);
    }
    if (info.reset_reason != EIN_RESET_FAULT) {
        ein_test_check(info.stack_used_bytes > 0 && info.stack_used_bytes < info.stack_bytes,
                       "the stack has a high-water mark");
        check_counter(&info);
        check_idle(&info);
        check_stream(&info);
        ein_port_reset();
    }
    ein_test_equal((uint32_t)info.reset_reason, EIN_RESET_FAULT, "the fault is told");
}
