#include "beside.h"

#include <string.h>

#include "emulated.h"
#include "stm32f4.h"
#include "timer.h"

#define SLEEP_MOST_US 10000 /* as long as ein_port_poll may sleep */

/* Conversions that came ahead of their time (ein_beside.h). */
typedef struct {
    ein_beside_reply_t told;
    uint16_t values[EIN_BESIDE_BLOCKS * EIN_BESIDE_BLOCK];
} __attribute__((may_alias)) ahead_t;
typedef char ein_check_room[sizeof(ahead_t) <= EIN_EMULATED_ROOM_BYTES ? 1 : -1];

static ein_bus_on_adc_t on_adc;
static void *adc_context;
static uint8_t held, taken; /* blocks */
static volatile bool awaits;
static volatile uint32_t due_us; /* when the model may have something, if it `awaits` that */

static ahead_t *ahead(void)
{
    return (ahead_t *)&ein_emulated_room;
}

/* One request at a time: the main loop's and the interrupt's must not mix. */
static bool exchange(const ein_beside_request_t *request, ein_beside_reply_t *reply)
{
    irq_disable();
    if (!ein_emulated_exchange(request, sizeof(*request), reply, sizeof(*reply))) {
        memset(reply, 0, sizeof(*reply));
    }
    if (reply->blocks > 0) {
        ahead()->told = *reply;
        taken = 0;
        held = reply->blocks;
        ein_emulated_take(ahead()->values, 2u * EIN_BESIDE_BLOCK * held);
    }
    awaits = reply->next_us != 0;
    due_us = request->us + reply->next_us;
    if ((reply->flags & EIN_BESIDE_EDGE) != 0) {
        NVIC_ISPR[IRQ_EXTI9_5 / 32u] = 1u << (IRQ_EXTI9_5 % 32u);
    }
    irq_enable();
    return (reply->flags & EIN_BESIDE_GOOD) != 0;
}

bool ein_beside_ask(uint8_t operation, uint8_t argument, const uint8_t *bytes, uint8_t n,
                    uint8_t *in)
{
    ein_beside_request_t request = {
        .operation = operation, .argument = argument, .n = n, .us = ein_timer_us()};
    ein_beside_reply_t reply;
    memcpy(request.bytes, bytes, n);
    const bool good = exchange(&request, &reply);
    memcpy(in, reply.bytes, n);
    return good;
}

static void look(void)
{
    uint8_t none = 0;
    if (taken == held && awaits && (int32_t)(ein_timer_us() - due_us) >= 0) {
        ein_beside_ask(EIN_BESIDE_RUN, 0, &none, 0, &none);
    }
}

void ein_beside_sleep(void)
{
    const uint32_t until_us = taken < held ? ahead()->told.us[taken] : due_us;
    int32_t in_us = (int32_t)(until_us - ein_timer_us());
    if ((taken == held && !awaits) || in_us > SLEEP_MOST_US) {
        in_us = SLEEP_MOST_US;
    }
    if (in_us > 0) {
        ein_timer_skip_us((uint32_t)in_us);
    }
    look();
}

void ein_beside_adc(ein_bus_on_adc_t handler, void *context)
{
    on_adc = handler;
    adc_context = context;
}

bool ein_beside_lead(ein_bus_pin_t pin)
{
    return (ahead()->told.leads[pin == EIN_BUS_LEAD_N] >> (taken - 1u) & 1u) != 0;
}

void ein_beside_stop(void)
{
    uint8_t none = 0;
    on_adc = 0;
    held = taken = 0;
    ein_beside_ask(EIN_BESIDE_STOP, 0, &none, 0, &none);
}

void ein_beside_serve(void)
{
    look();
    while (on_adc != 0 && taken < held) {
        const uint32_t us = ahead()->told.us[taken];
        if ((int32_t)(ein_timer_us() - us) < 0) {
            return;
        }
        const uint32_t block = taken++;
        on_adc(adc_context, ahead()->values + block * EIN_BESIDE_BLOCK, EIN_BESIDE_BLOCK,
               block == 0 ? ahead()->told.lost : 0u, us);
    }
}
