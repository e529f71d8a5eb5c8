/* The signal is --adc's file: int16, little-endian, at the core's rate and 200 counts a millivolt,
   over and over, with straight lines in between. --faults names a file of lines

       MS late|reset|flip|glitch|stuck|spi|lead_p|lead_n [FOR_MS]

   in order; `late` is how long no interrupt is served, the last four hold for so long. */
#define _GNU_SOURCE
#include "front_end.h"

#include <stdlib.h>
#include <string.h>

#include "ein_front_end.h"
#include "ein_sim.h"
#include "ein_pipeline.h"
#include "host.h"

#define PS_PER_NS 1000u
#define PS_PER_MS 1000000000ull
#define PS_PER_S 1000000000000ull
#define NV_PER_COUNT 5000

static ein_front_end_t front_end;
static bool started;
static uint64_t start_ns;
static int16_t *signal_counts;
static size_t signal_n;
static FILE *faults;
static struct {
    unsigned long long at_ms, for_ms, until_ms;
    char name[16];
    bool waits, holds;
} fault;

static int32_t signal_nv(void *context, uint64_t t_ps)
{
    (void)context;
    const uint64_t scaled = t_ps % (signal_n * PS_PER_S / EIN_PIPELINE_RATE_HZ) *
                            EIN_PIPELINE_RATE_HZ / 1000000u; /* samples, in millionths */
    const size_t i = (size_t)(scaled / 1000000u) % signal_n;
    const int64_t here = signal_counts[i], next = signal_counts[(i + 1) % signal_n];
    const int64_t part = (int64_t)(scaled % 1000000u);
    return (int32_t)((here * 1000000 + (next - here) * part) * NV_PER_COUNT / 1000000);
}

static void read_signal(void)
{
    if (ein_host.adc == NULL || fseek(ein_host.adc, 0, SEEK_END) != 0) {
        fprintf(stderr, "error: --front-end needs a signal: name a file with --adc\n");
        exit(2);
    }
    const long bytes = ftell(ein_host.adc);
    rewind(ein_host.adc);
    signal_n = bytes < 0 ? 0 : (size_t)bytes / sizeof(int16_t);
    signal_counts = malloc(signal_n * sizeof(int16_t) + 1);
    if (signal_n == 0 || signal_counts == NULL ||
        fread(signal_counts, sizeof(int16_t), signal_n, ein_host.adc) != signal_n) {
        ein_host_die("no signal");
    }
}

static void next_fault(void)
{
    char line[80];
    fault.waits = false;
    if (faults == NULL || fgets(line, sizeof(line), faults) == NULL) {
        return;
    }
    fault.for_ms = 0;
    if (sscanf(line, "%llu %15s %llu", &fault.at_ms, fault.name, &fault.for_ms) < 2) {
        fprintf(stderr, "error: --faults: '%s' is no line 'MS NAME [MS]'\n", line);
        exit(2);
    }
    fault.waits = true;
}

static void set_fault(bool on)
{
    static const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"stuck", &ein_sim_faults.stuck},
        {"spi", &ein_sim_faults.spi_dead},
        {"lead_p", &ein_sim_faults.lead_p_off},
        {"lead_n", &ein_sim_faults.lead_n_off},
    };
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(fault.name, flags[i].name) == 0) {
            *flags[i].flag = on;
            fault.holds = on;
            return;
        }
    }
    if (strcmp(fault.name, "late") == 0) {
        ein_sim_deaf(fault.for_ms * PS_PER_MS);
    } else if (strcmp(fault.name, "reset") == 0) {
        ein_sim_reset_part();
    } else if (strcmp(fault.name, "flip") == 0) {
        ein_sim_faults.flip_bits = 1;
    } else if (strcmp(fault.name, "glitch") == 0) {
        ein_sim_faults.glitches = 1;
    } else {
        fprintf(stderr, "error: --faults: no fault '%s'\n", fault.name);
        exit(2);
    }
}

static void follow_faults(void)
{
    const uint64_t now_ms = ein_sim_now_ps() / PS_PER_MS;
    if (fault.holds && now_ms >= fault.until_ms) {
        set_fault(false);
        next_fault();
    }
    while (fault.waits && !fault.holds && now_ms >= fault.at_ms) {
        fault.until_ms = now_ms + fault.for_ms;
        set_fault(true);
        if (!fault.holds) {
            next_fault();
        }
    }
}

static bool adc(int16_t *sample, uint32_t *lost)
{
    if (!started) {
        started = ein_front_end_start(&front_end, EIN_FRONT_END_ELECTRODES);
        start_ns = ein_host_now_ns() - ein_sim_now_ps() / PS_PER_NS;
    }
    *lost = 0;
    if (ein_front_end_adc(&front_end, sample, lost)) {
        return true;
    }
    follow_faults();
    ein_sim_run((ein_host_now_ns() - start_ns) * PS_PER_NS);
    ein_front_end_step(&front_end);
    return ein_front_end_adc(&front_end, sample, lost);
}

static void describe(ein_port_info_t *info)
{
    const ein_front_end_info_t *of = ein_front_end_info(&front_end);
    info->adc_bits = of->bits;
    info->adc_gain_lsb_per_mv = of->gain_lsb_per_mv;
    info->adc_rail_lo = of->rail_lo;
    info->adc_rail_hi = of->rail_hi;
}

void ein_host_front_end_init(void)
{
    static const ein_front_end_driver_t *const drivers[] = {&ein_ad8232, &ein_ads1292r,
                                                            &ein_max30003};
    static const char *const names[] = {"ad8232", "ads1292r", "max30003"};
    if (ein_host.front_end == NULL) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(ein_host.front_end, names[i]) != 0) {
            continue;
        }
        read_signal();
        if (ein_host.faults != NULL && (faults = fopen(ein_host.faults, "r")) == NULL) {
            ein_host_die(ein_host.faults);
        }
        next_fault();
        const ein_sim_config_t config = {
            .part = (ein_sim_part_t)i, .signal = signal_nv, .jitter_ns = 1000, .seed = 1};
        ein_sim_init(&config);
        ein_front_end_init(&front_end, drivers[i]);
        ein_host.front_end_adc = adc;
        ein_host.front_end_describe = describe;
        return;
    }
    fprintf(stderr, "error: no front end '%s': ad8232, ads1292r or max30003\n", ein_host.front_end);
    exit(2);
}
