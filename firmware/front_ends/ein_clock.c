#include "ein_clock.h"

#define Q 12u
#define CHUNK 128u

void ein_clock_init(ein_clock_t *clock, uint16_t rate_hz)
{
    const uint32_t period_q12 = (uint32_t)((1000000u << Q) / rate_hz);
    *clock = (ein_clock_t){.nominal_q12 = period_q12, .period_q12 = period_q12};
}

/* The expectation goes n periods on. */
static void advance(ein_clock_t *clock, uint32_t n)
{
    const uint64_t by_q12 = (uint64_t)n * clock->period_q12 + clock->due_frac_q12;
    clock->due_us += (uint32_t)(by_q12 >> Q);
    clock->due_frac_q12 = (uint32_t)by_q12 & ((1u << Q) - 1u);
}

static void pull(ein_clock_t *clock, int32_t late_us)
{
    int32_t frac_q12 = (int32_t)clock->due_frac_q12 + late_us * (1 << (Q - 3));
    clock->due_us += (uint32_t)(frac_q12 >> Q);
    clock->due_frac_q12 = (uint32_t)frac_q12 & ((1u << Q) - 1u);

    const int32_t widest_q12 = (int32_t)(clock->nominal_q12 / (1000000u / EIN_CLOCK_MAX_PPM));
    int32_t off_q12 = (int32_t)(clock->period_q12 - clock->nominal_q12) + late_us * (1 << (Q - 10));
    off_q12 = off_q12 > widest_q12 ? widest_q12 : off_q12 < -widest_q12 ? -widest_q12 : off_q12;
    clock->period_q12 = clock->nominal_q12 + (uint32_t)off_q12;
}

static void begin_window(ein_clock_t *clock, uint32_t us)
{
    clock->window_us = us;
    clock->window_count = 0;
}

static void measure(ein_clock_t *clock, uint32_t us, uint32_t n)
{
    clock->window_count += n;
    if (clock->window_count < EIN_CLOCK_WINDOW) {
        return;
    }
    const uint32_t nominal_us =
        (uint32_t)(((uint64_t)clock->window_count * clock->nominal_q12) >> Q);
    const int32_t slow_us = (int32_t)(us - clock->window_us - nominal_us);
    const int32_t limit_us = (int32_t)(nominal_us / (1000000u / EIN_CLOCK_MAX_PPM));
    if (slow_us <= limit_us && slow_us >= -limit_us) {
        clock->ppm = -slow_us * 1000 / (int32_t)(nominal_us / 1000u);
    }
    begin_window(clock, us);
}

static void run(ein_clock_t *clock, uint32_t us)
{
    clock->running = true;
    clock->due_us = us;
    clock->due_frac_q12 = 0;
    advance(clock, 1);
    begin_window(clock, us);
}

/* Whole periods, to the nearest, in us >= 0; the expectation goes on by as many. */
static uint32_t periods(ein_clock_t *clock, uint32_t us)
{
    const uint32_t from_us = clock->due_us;
    uint32_t n = 0;
    const uint32_t chunk_us = (CHUNK * clock->period_q12) >> Q;
    while (us - (clock->due_us - from_us) > chunk_us + chunk_us / CHUNK) {
        advance(clock, CHUNK);
        n += CHUNK;
    }
    const uint32_t left_us = us - (clock->due_us - from_us);
    const uint32_t left = ((left_us << Q) + clock->period_q12 / 2u) / clock->period_q12;
    advance(clock, left);
    return n + left;
}

static int32_t lateness_us(const ein_clock_t *clock, uint32_t us)
{
    return (int32_t)(us - clock->due_us);
}

int32_t ein_clock_edge(ein_clock_t *clock, uint32_t us, uint32_t n)
{
    if (!clock->running) {
        run(clock, us);
        return 0;
    }
    const ein_clock_t before = *clock;
    advance(clock, n - 1u);
    int32_t late_us = lateness_us(clock, us);
    const int32_t quarter_us = (int32_t)(clock->period_q12 >> (Q + 2u));
    if (late_us < -quarter_us) {
        *clock = before;
        return -1;
    }
    uint32_t lost = 0;
    if (late_us > 3 * quarter_us) {
        lost = periods(clock, (uint32_t)(late_us - quarter_us));
        late_us = lateness_us(clock, us);
    }
    /* Beyond that it is the interrupt that was late, and says nothing of the part. */
    pull(clock, late_us > quarter_us ? quarter_us : late_us);
    advance(clock, 1);
    if (lost > EIN_CLOCK_BRIDGE) {
        begin_window(clock, us);
    } else {
        measure(clock, us, n + lost);
    }
    return (int32_t)lost;
}

void ein_clock_follow(ein_clock_t *clock, uint32_t us, uint32_t n)
{
    if (!clock->running) {
        run(clock, us);
        return;
    }
    advance(clock, n - 1u);
    const int32_t period_us = (int32_t)(clock->period_q12 >> Q);
    int32_t late_us = lateness_us(clock, us);
    late_us = late_us > period_us ? period_us : late_us < -period_us ? -period_us : late_us;
    pull(clock, late_us);
    advance(clock, 1);
    measure(clock, us, n);
}

uint32_t ein_clock_overdue(ein_clock_t *clock, uint32_t us)
{
    const int32_t late_us = lateness_us(clock, us);
    const int32_t period_us = (int32_t)(clock->period_q12 >> Q);
    if (!clock->running || late_us <= 2 * period_us) {
        return 0;
    }
    begin_window(clock, us);
    /* The newest may still be on its way. */
    return periods(clock, (uint32_t)(late_us - period_us));
}
