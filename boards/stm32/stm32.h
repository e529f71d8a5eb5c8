/* Registers that the STM32F1 and STM32F4 have alike, but for addresses: a family's header has
   these, and includes this one.

   Sources: ST RM0008 (F103), sections 7.3.10, 19.4, 27.6; RM0090 (F405), RM0383 (F411), RM0390
   (F446). Field names as there. */
#ifndef EIN_STM32_H
#define EIN_STM32_H

#include <stdint.h>

typedef struct {
    volatile uint32_t SR, DR, BRR, CR1, CR2, CR3, GTPR;
} usart_t;

typedef struct {
    volatile uint32_t KR, PR, RLR, SR;
} iwdg_t;

#define IWDG ((iwdg_t *)0x40003000u)

#define USART_SR_ORE (1u << 3)
#define USART_SR_TC (1u << 6)
#define USART_SR_TXE (1u << 7)
#define USART_CR1_RE (1u << 2)
#define USART_CR1_TE (1u << 3)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_UE (1u << 13)
#define USART_CR3_DMAR (1u << 6)

#define IWDG_KR_FEED 0xAAAAu
#define IWDG_KR_UNLOCK 0x5555u
#define IWDG_KR_START 0xCCCCu

#define RCC_CSR_RMVF (1u << 24)
#define RCC_CSR_BORRSTF (1u << 25) /* reserved in the F1: 0 */
#define RCC_CSR_PINRSTF (1u << 26)
#define RCC_CSR_PORRSTF (1u << 27)
#define RCC_CSR_SFTRSTF (1u << 28)
#define RCC_CSR_IWDGRSTF (1u << 29)
#define RCC_CSR_WWDGRSTF (1u << 30)

#define IWDG_WAIT_POLLS 10000u

/* Gives peripherals their clocks by an enable register of RCC. They are there some cycles later,
   and what is written to them before is lost ("Delay after an RCC peripheral clock enabling",
   errata sheets ES0182, ES0287, ES0298 of the F4): the register is read back, as ST's own libraries
   do for both families. */
static inline void rcc_enable(volatile uint32_t *which, uint32_t bits)
{
    *which |= bits;
    (void)*which;
}

/* Bites after 4 * 2^prescaler * reload periods of the low-speed RC oscillator. */
static inline void stm32_watchdog_start(uint32_t prescaler, uint32_t reload)
{
    IWDG->KR = IWDG_KR_START;
    IWDG->KR = IWDG_KR_UNLOCK;
    IWDG->PR = prescaler;
    IWDG->RLR = reload;
    for (uint32_t i = 0; i < IWDG_WAIT_POLLS && IWDG->SR != 0; i++) {
    }
    IWDG->KR = IWDG_KR_FEED;
}

#endif
