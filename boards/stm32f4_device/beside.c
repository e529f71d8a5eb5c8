#include "beside.h"

#include <string.h>

#include "emulated.h"
#include "stm32f4.h"
#include "timer.h"

#define SLEEP_MOST_US 10000u /* as long as ein_port_poll may sleep */

static ein_bus_on_adc_t on_adc;
static void *adc_context;
static volatile bool awaits, conversions_wait;
static volatile uint32_t due_us; /* when the model may have something, if it `awaits` that */

/* One request at a time: the main loop's and the interrupt's must not mix. */
static bool exchange(const ein_beside_request_t *request, ein_beside_reply_t *reply)
{
    irq_disable();
    if (!ein_emulated_exchange(request, sizeof(*request), reply, sizeof(*reply))) {
        memset(reply, 0, sizeof(*reply));
    }
    awaits = reply->next_us != 0;
    due_us = request->us + reply->next_us;
    if ((reply->flags & EIN_BESIDE_EDGE) != 0) {
        NVIC_ISPR[IRQ_EXTI9_5 / 32u] = 1u << (IRQ_EXTI9_5 % 32u);
    }
    conversions_wait = (reply->flags & EIN_BESIDE_MORE) != 0;
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
    const ein_beside_request_t request = {.operation = EIN_BESIDE_RUN, .us = ein_timer_us()};
    ein_beside_reply_t reply;
    if (awaits && (int32_t)(request.us - due_us) >= 0) {
        exchange(&request, &reply);
    }
}

void ein_beside_sleep(void)
{
    const uint32_t in_us = due_us - ein_timer_us();
    if (!awaits || (int32_t)in_us > (int32_t)SLEEP_MOST_US) {
        ein_timer_skip_us(SLEEP_MOST_US);
    } else if ((int32_t)in_us > 0) {
        ein_timer_skip_us(in_us);
    }
    look();
}

void ein_beside_adc(ein_bus_on_adc_t handler, void *context)
{
    on_adc = handler;
    adc_context = context;
}

void ein_beside_stop(void)
{
    uint8_t none = 0;
    on_adc = 0;
    conversions_wait = false;
    ein_beside_ask(EIN_BESIDE_STOP, 0, &none, 0, &none);
}

void ein_beside_serve(void)
{
    look();
    while (conversions_wait && on_adc != 0) {
        const ein_beside_request_t request = {
            .operation = EIN_BESIDE_RUN, .argument = 1, .us = ein_timer_us()};
        ein_beside_reply_t reply;
        exchange(&request, &reply);
        if (reply.conversions > 0) {
            on_adc(adc_context, reply.values, reply.conversions, reply.lost, reply.us);
        }
    }
}
