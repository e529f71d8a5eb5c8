"""Reads what firmware/test/harness.c prints.

`PASS name`, `FAIL name: why`, `EXPECT fault` before one that is made on purpose, `DONE failures`.
"""

import re

from platformio.public import TestCase, TestRunnerBase, TestStatus


class CustomTestRunner(TestRunnerBase):
    """PlatformIO finds this class by its name and the file's."""

    expects_fault = False

    def on_testing_line_output(self, line: str) -> None:
        """Take one line of the program."""
        line = line.strip("\0\r\n ")
        if match := re.fullmatch(r"(PASS|FAIL) ([^:]+)(?:: (.*))?", line):
            status = TestStatus.PASSED if match[1] == "PASS" else TestStatus.FAILED
            self.test_suite.add_case(TestCase(match[2], status, message=match[3]))
        elif line.startswith("fault:"):
            status = TestStatus.PASSED if self.expects_fault else TestStatus.FAILED
            self.expects_fault = False
            self.test_suite.add_case(TestCase("faults are reported", status, message=line))
        elif line == "EXPECT fault":
            self.expects_fault = True
        elif line.startswith("DONE"):
            self.test_suite.on_finish()
