/* ein_bus.h on a model: time, edges, SPI byte by byte, an ADC with DMA. */
#include <string.h>

#include "ein_bus.h"
#include "ein_part.h"

#define PS_PER_US 1000000ull
#define BYTE_PS (8u * PS_PER_US)
#define HOUR_PS (3600ull * 1000000ull * PS_PER_US)
#define BILLION 1000000000ll
#define ADC_BLOCK 8u
#define ADC_PERIOD_US 2000u
#define ADC_BUFFER 1120u /* as boards/stm32f4_device/adc.h has it */
#define SHORTER 25u      /* of a part's period: its clock may be 4 % fast */

static struct {
    ein_sim_config_t config;
    const ein_part_t *part;
    uint64_t now_ps, next_ps, grid_ps, deaf_ps;
    uint64_t converted_ps;
    uint32_t conversions;
    bool first, edge_waits, held, in_handler;
    ein_bus_on_edge_t on_edge;
    ein_bus_on_adc_t on_adc;
    void *context;
    void (*on_serve)(void);
    uint16_t adc[ADC_BUFFER];
    uint32_t adc_n, adc_lost;
} model;

/* By the part's clock, as far off as it is now. */
static void schedule(void)
{
    const uint64_t nominal_ps = model.part->period_ps(model.first);
    if (nominal_ps == 0) {
        model.next_ps = 0;
        return;
    }
    const int64_t hours_q20 = (int64_t)(model.now_ps / (HOUR_PS >> 20));
    const int64_t ppb =
        model.config.part_ppb + ((model.config.drift_ppb_per_hour * hours_q20) >> 20);
    const uint64_t period_ps =
        (uint64_t)((int64_t)nominal_ps - (int64_t)(nominal_ps / 1000u) * ppb / (BILLION / 1000));
    model.grid_ps += period_ps;
    model.next_ps = model.grid_ps;
    if (model.config.jitter_ns > 0) {
        model.next_ps = (uint64_t)((int64_t)model.grid_ps +
                                   1000ll * ein_part_random((int32_t)model.config.jitter_ns));
    }
    model.first = false;
}

static void restart(void)
{
    model.first = true;
    ein_part_restarted = false;
    model.grid_ps = model.now_ps;
    schedule();
}

void ein_sim_init(const ein_sim_config_t *config)
{
    static const ein_part_t *const parts[] = {&ein_part_ad8232, &ein_part_ads1292r,
                                              &ein_part_max30003};
    memset(&model, 0, sizeof(model));
    memset(&ein_sim_faults, 0, sizeof(ein_sim_faults));
    model.config = *config;
    ein_part_seed(config->seed);
    model.part = parts[config->part];
    model.part->reset();
    restart();
}

static void serve(void)
{
    if (model.held || model.in_handler || model.now_ps < model.deaf_ps) {
        return;
    }
    model.in_handler = true;
    if (model.edge_waits && model.on_edge != NULL) {
        model.edge_waits = false;
        model.on_edge(model.context, ein_bus_us());
    }
    model.in_handler = false;
}

static void convert(void)
{
    const int32_t nv =
        model.config.signal == NULL ? 0 : model.config.signal(model.config.context, model.now_ps);
    model.conversions++;
    model.converted_ps = model.now_ps;
    if (model.config.part == EIN_SIM_AD8232) {
        if (model.on_adc != NULL && !ein_sim_faults.stuck) {
            if (model.adc_n == ADC_BUFFER) { /* the oldest is overwritten */
                memmove(model.adc, model.adc + 1, (ADC_BUFFER - 1u) * sizeof(model.adc[0]));
                model.adc_n--;
                model.adc_lost++;
            }
            model.adc[model.adc_n++] = ein_part_ad8232_adc(nv);
        }
        return;
    }
    const bool falls = model.part->convert(nv, model.now_ps);
    if (falls && !ein_sim_faults.stuck) {
        model.edge_waits = true;
    }
}

/* The next thing that happens, until t_ps. */
void ein_sim_run(uint64_t t_ps)
{
    while (model.next_ps != 0 && model.next_ps <= t_ps) {
        if (model.deaf_ps > model.now_ps && model.deaf_ps <= model.next_ps) {
            model.now_ps = model.deaf_ps;
            serve();
            continue;
        }
        model.now_ps = model.next_ps > model.now_ps ? model.next_ps : model.now_ps;
        schedule();
        convert();
        serve();
        if (ein_sim_faults.glitches > 0 && model.on_edge != NULL && model.now_ps >= model.deaf_ps &&
            !model.held && !model.in_handler) {
            ein_sim_faults.glitches--;
            model.now_ps += 200u * PS_PER_US;
            model.edge_waits = true;
            serve();
        }
    }
    if (model.deaf_ps > model.now_ps && model.deaf_ps <= t_ps) {
        model.now_ps = model.deaf_ps;
        serve();
    }
    model.now_ps = t_ps > model.now_ps ? t_ps : model.now_ps;
}

uint64_t ein_sim_now_ps(void)
{
    return model.now_ps;
}

void ein_sim_deaf(uint64_t for_ps)
{
    model.deaf_ps = model.now_ps + for_ps;
}

void ein_sim_reset_part(void)
{
    model.part->reset();
    restart();
}

uint32_t ein_sim_conversions(void)
{
    return model.conversions;
}

uint64_t ein_sim_converted_ps(void)
{
    return model.converted_ps;
}

bool ein_bus_spi(uint8_t mode, const uint8_t *out, uint8_t *in, size_t n)
{
    (void)mode;
    if (ein_sim_faults.spi_dead) {
        memset(in, 0xFF, n);
        return false;
    }
    const bool handler = model.in_handler;
    model.in_handler = true; /* an interrupt of the same kind waits */
    model.part->select();
    for (size_t i = 0; i < n; i++) {
        in[i] = model.part->exchange(out[i]);
        if (ein_sim_faults.flip_bits > 0 && i % 8u == 7u) {
            ein_sim_faults.flip_bits--;
            in[i] ^= 0x10u;
        }
        if (ein_part_restarted) {
            restart();
        }
        ein_sim_run(model.now_ps + BYTE_PS);
    }
    model.part->deselect();
    model.in_handler = handler;
    serve();
    return true;
}

void ein_bus_set(ein_bus_pin_t pin, bool high)
{
    if (pin == EIN_BUS_RESET) {
        if (!high) {
            ein_sim_faults.stuck = false;
        }
        model.part->pin(high);
        restart();
    }
}

bool ein_bus_get(ein_bus_pin_t pin)
{
    /* LO+ and LO- are high when their electrode is off ("Leads off detection"). */
    return (pin == EIN_BUS_LEAD_P && ein_sim_faults.lead_p_off) ||
           (pin == EIN_BUS_LEAD_N && ein_sim_faults.lead_n_off);
}

uint32_t ein_bus_us(void)
{
    const int64_t us = (int64_t)(model.now_ps / PS_PER_US);
    return (uint32_t)(us + us / 1000 * model.config.board_ppb / (BILLION / 1000));
}

void ein_bus_wait_us(uint32_t us)
{
    ein_sim_run(model.now_ps + us * PS_PER_US);
}

void ein_bus_listen(ein_bus_on_edge_t on_edge, void *context)
{
    model.edge_waits = false;
    model.context = context;
    model.on_edge = on_edge;
}

bool ein_bus_adc(uint16_t rate_hz, ein_bus_on_adc_t on_adc, void *context)
{
    (void)rate_hz;
    model.context = context;
    model.on_adc = on_adc;
    model.adc_n = model.adc_lost = 0;
    ein_sim_faults.stuck = false;
    restart();
    return true;
}

static void hand_on(void)
{
    uint32_t from = 0;
    for (; from < EIN_BUS_ADC_MOST && from + ADC_BLOCK <= model.adc_n; from += ADC_BLOCK) {
        const uint32_t lost = model.adc_lost;
        model.adc_lost = 0;
        model.on_adc(model.context, model.adc + from, ADC_BLOCK, lost,
                     ein_bus_us() - (model.adc_n - from - ADC_BLOCK) * ADC_PERIOD_US);
    }
    model.adc_n -= from;
    memmove(model.adc, model.adc + from, model.adc_n * sizeof(model.adc[0]));
}

void ein_bus_serve(void)
{
    if (model.on_serve != NULL) {
        model.on_serve();
    }
    if (model.on_adc != NULL) {
        hand_on();
    }
}

void ein_sim_on_serve(void (*on_serve)(void))
{
    model.on_serve = on_serve;
}

uint64_t ein_sim_next_ps(void)
{
    if (model.deaf_ps > model.now_ps) {
        return model.deaf_ps;
    }
    if (model.edge_waits) {
        return model.now_ps;
    }
    if (model.next_ps == 0) {
        return 0;
    }
    /* The first of so many conversions by which nothing can happen, at the shortest they can be. */
    uint32_t quiet = 0;
    if (model.config.part == EIN_SIM_AD8232) {
        quiet = model.adc_n < ADC_BLOCK ? ADC_BLOCK - 1u - model.adc_n : 0u;
    } else if (model.part->quiet != NULL) {
        quiet = model.part->quiet();
    }
    const uint64_t period_ps = model.part->period_ps(false);
    const uint64_t later_ps = quiet * (period_ps - period_ps / SHORTER);
    return model.next_ps + later_ps;
}

void ein_bus_stop(void)
{
    model.on_edge = NULL;
    model.on_adc = NULL;
    model.edge_waits = false;
}

void ein_bus_hold(void)
{
    model.held = true;
}

void ein_bus_release(void)
{
    model.held = false;
    serve();
}
