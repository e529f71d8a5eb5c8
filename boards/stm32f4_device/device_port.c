/* firmware/device/ein_device_port.h for the STM32F4 boards, on the pins that board.h names.
 *
 * Button to 3.3 V, LED, piezo on channel 1 of TIM3, battery by a divider of two (an injected
 * conversion beside the front end's regular ones), display on I2C1, PB6 and PB7. RM0090: 8.4 GPIO,
 * 13.3.9 injected channels, 18.3 timers, 27.3.3 I2C as master.
 *
 * Not run on silicon yet. QEMU's machine has the timers, but no GPIO, I2C or injected conversion:
 * there the button is open, the LED dark, the battery unknown, and no display answers.
 */
#include "ein_device_port.h"

#include "adc_on.h"
#include "board.h"
#include "pins.h"
#include "timer.h"

#define TONE_CLOCK_HZ 1000000u
#define US_PER_MS 1000u
#define PIEZO_FUNCTION 2u /* TIM3 */
#define SCL PB(6u)
#define SDA PB(7u)
#define I2C_FUNCTION 4u
#define ADC_REFERENCE_MV 3300u
#define ADC_STEPS 4096u
/* Some ten cycles each: 1 ms at 168 MHz; a byte at 100 kHz takes 90 us. */
#define WAIT_POLLS 16000u

typedef char ein_check_channel[EIN_BOARD_BATTERY_CHANNEL < 8u ? 1 : -1]; /* n is pin PAn */

static uint32_t seen_us, left_us, ms;

void ein_device_port_init(void)
{
    rcc_enable(&RCC->APB1ENR, RCC_APB1ENR_TIM3 | RCC_APB1ENR_I2C1);
    rcc_enable(&RCC->APB2ENR, RCC_APB2ENR_ADC1);

    pin_mode(EIN_BOARD_PIN_BUTTON, PIN_INPUT, 0u);
    pin_pull(EIN_BOARD_PIN_BUTTON, PULL_DOWN);
    pin_output(EIN_BOARD_PIN_LED, false);
    pin_mode(EIN_BOARD_PIN_PIEZO, PIN_FUNCTION, PIEZO_FUNCTION);
    pin_port(SCL)->OTYPER |=
        1u << (SCL & 15u) | 1u << (SDA & 15u); /* open drain; the module pulls up */
    pin_mode(SCL, PIN_FUNCTION, I2C_FUNCTION);
    pin_mode(SDA, PIN_FUNCTION, I2C_FUNCTION);
    pin_mode(PA(EIN_BOARD_BATTERY_CHANNEL), PIN_ANALOGUE, 0u);

    seen_us = ein_timer_us();
    TIM3->CCMR1 = TIM_CCMR1_OC1_PWM1;
    ein_timer_start(TIM3, TONE_CLOCK_HZ, UINT16_MAX);

    const bool by_pll = (RCC->CFGR & RCC_CFGR_SWS_MASK) == RCC_CFGR_SWS_PLL;
    const uint32_t apb1_mhz = by_pll ? EIN_BOARD_CORE_HZ / EIN_BOARD_APB1_DIVIDER / 1000000u : 16u;
    I2C1->CR2 = apb1_mhz;
    I2C1->CCR = apb1_mhz * 5u; /* 100 kHz: high and low 5 us each */
    I2C1->TRISE = apb1_mhz + 1u;
    I2C1->CR1 = I2C_CR1_PE;
}

uint32_t ein_device_port_ms(void)
{
    const uint32_t now_us = ein_timer_us();
    left_us += now_us - seen_us;
    seen_us = now_us;
    ms += left_us / US_PER_MS;
    left_us %= US_PER_MS;
    return ms;
}

bool ein_device_port_button(void)
{
    return pin_get(EIN_BOARD_PIN_BUTTON);
}

void ein_device_port_show(bool led, uint16_t tone_hz)
{
    pin_set(EIN_BOARD_PIN_LED, led);
    if (tone_hz == 0) {
        TIM3->CCER = 0;
        return;
    }
    TIM3->ARR = TONE_CLOCK_HZ / tone_hz - 1u;
    TIM3->CCR[0] = TONE_CLOCK_HZ / tone_hz / 2u;
    TIM3->EGR = TIM_EGR_UG;
    TIM3->CCER = TIM_CCER_CC1E;
}

uint16_t ein_device_port_battery_mv(void)
{
    ADC_CCR = ADC_CCR_ADCPRE_DIV4;
    ADC1->SMPR2 |= 7u << (3 * EIN_BOARD_BATTERY_CHANNEL);
    ADC1->JSQR = EIN_BOARD_BATTERY_CHANNEL << 15;
    adc_on();
    ADC1->SR = ~ADC_SR_JEOC;
    ADC1->CR2 |= ADC_CR2_JSWSTART;
    for (uint32_t i = 0; i < WAIT_POLLS; i++) {
        if ((ADC1->SR & ADC_SR_JEOC) != 0) {
            return (uint16_t)(2u * ADC_REFERENCE_MV * ADC1->JDR[0] / ADC_STEPS);
        }
    }
    return 0;
}

extern const uint8_t _image_start[], _image_end[];

/* Its value is put in when the image has been linked (firmware/platforms/bare/builder/main.py). */
__attribute__((section(".image_crc"), used)) static const uint32_t image_crc = 0;

const uint8_t *ein_device_port_image(uint32_t *bytes, uint32_t *crc)
{
    *bytes = (uint32_t)(_image_end - _image_start);
    *crc = *(const volatile uint32_t *)&image_crc; /* not what the compiler believes it to be */
    return _image_start;
}

static bool i2c_wait(uint32_t flag)
{
    for (uint32_t i = 0; i < WAIT_POLLS; i++) {
        const uint32_t state = I2C1->SR1;
        if ((state & I2C_SR1_AF) != 0) {
            break;
        }
        if ((state & flag) != 0) {
            return true;
        }
    }
    I2C1->SR1 = 0;
    I2C1->CR1 = I2C_CR1_PE | I2C_CR1_STOP;
    return false;
}

bool ein_device_port_i2c(uint8_t address, const uint8_t *bytes, size_t n)
{
    /* Until the last one's STOP is on the line CR1 must not be written (RM0090 27.6.1). */
    for (uint32_t i = 0; i < WAIT_POLLS && (I2C1->CR1 & I2C_CR1_STOP) != 0; i++) {
    }
    I2C1->CR1 = I2C_CR1_PE | I2C_CR1_START;
    if (!i2c_wait(I2C_SR1_SB)) {
        return false;
    }
    I2C1->DR = (uint32_t)address << 1;
    if (!i2c_wait(I2C_SR1_ADDR)) {
        return false;
    }
    (void)I2C1->SR2; /* read after SR1: clears ADDR */
    for (size_t i = 0; i < n; i++) {
        if (!i2c_wait(I2C_SR1_TXE)) {
            return false;
        }
        I2C1->DR = bytes[i];
    }
    const bool sent = i2c_wait(I2C_SR1_BTF);
    I2C1->CR1 = I2C_CR1_PE | I2C_CR1_STOP;
    return sent;
}
