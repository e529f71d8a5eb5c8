#define _GNU_SOURCE
#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "ein_pipeline.h"

#define PS_PER_MS 1000000000ull
#define PS_PER_S 1000000000000ull
#define NV_PER_COUNT 5000

const char *const ein_script_parts[3] = {"ad8232", "ads1292r", "max30003"};

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

static void read_signal(FILE *file)
{
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "error: a front end needs a signal: name a file\n");
        exit(2);
    }
    const long bytes = ftell(file);
    rewind(file);
    signal_n = bytes < 0 ? 0 : (size_t)bytes / sizeof(int16_t);
    signal_counts = malloc(signal_n * sizeof(int16_t) + 1);
    if (signal_n == 0 || signal_counts == NULL ||
        fread(signal_counts, sizeof(int16_t), signal_n, file) != signal_n) {
        fprintf(stderr, "error: the file of the signal is empty or cannot be read\n");
        exit(2);
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
        fprintf(stderr, "error: faults: '%s' is no line 'MS NAME [MS]'\n", line);
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
        fprintf(stderr, "error: faults: no fault '%s'\n", fault.name);
        exit(2);
    }
}

void ein_script_follow(void)
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

ein_sim_part_t ein_script_begin(const char *part, FILE *signal, const char *faults_name,
                                int32_t part_ppm)
{
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(part, ein_script_parts[i]) != 0) {
            continue;
        }
        read_signal(signal);
        if (faults_name != NULL && (faults = fopen(faults_name, "r")) == NULL) {
            fprintf(stderr, "error: cannot read %s\n", faults_name);
            exit(2);
        }
        next_fault();
        const ein_sim_config_t config = {.part = (ein_sim_part_t)i,
                                         .signal = signal_nv,
                                         .part_ppb = 1000 * part_ppm,
                                         .jitter_ns = 1000,
                                         .seed = 1};
        ein_sim_init(&config);
        return config.part;
    }
    fprintf(stderr, "error: no front end '%s': ad8232, ads1292r or max30003\n", part);
    exit(2);
}
