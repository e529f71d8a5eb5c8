/* Tests on the board: a suite is a folder with a suite.c that defines ein_test_suite(). It talks
   over the board's serial port; firmware/test/test_custom_runner.py reads it. */
#ifndef EIN_HARNESS_H
#define EIN_HARNESS_H

#include <stdbool.h>
#include <stdint.h>

/* Runs the checks of a suite. */
void ein_test_suite(void);

void ein_test_check(bool good, const char *name);

/* With both values in the message when they differ. */
void ein_test_equal(uint32_t found, uint32_t expected, const char *name);

/* The next thing to come is a fault, and its report. */
void ein_test_expect_fault(void);

#endif
