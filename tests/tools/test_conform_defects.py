# SPDX-License-Identifier: MIT
"""The list of defects of tests/drivers/broken is read whole, docs/conform.md shows it, and a case without a defect is found."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import conform_defects  # noqa: E402

TABLES = '''
#define DEFECTS_TABLE(X)          \\
    /* X(not, "a row") */         \\
    X(one, "says \\"no\\", (then) " \\
           "yes", ANY, "first")   \\
    X(two, "is, wrong", X86, "first,second")

#define ENTRIES_TABLE(X) X(two, "A name")
'''


class List(unittest.TestCase):
    def test_rows_are_read_with_commas_and_brackets_in_their_texts(self):
        self.assertEqual([("one", 'says \\"no\\", (then) yes', "ANY", "first"), ("two", "is, wrong", "X86", "first,second")],
                         conform_defects.rows(TABLES, "DEFECTS_TABLE"))
        self.assertEqual([("two", "A name")], conform_defects.rows(TABLES, "ENTRIES_TABLE"))

    def test_each_row_of_the_list_is_read(self):
        defects = conform_defects.read_list()
        text = conform_defects.LIST.read_text()
        entries = conform_defects.rows(text, "ENTRIES_TABLE")
        self.assertEqual(len(re.findall(r"^    X\(", text, re.M)), len(defects) + len(entries))
        self.assertEqual(len(defects), len({defect["name"] for defect in defects}))
        self.assertTrue(all(defect["cases"] != [""] for defect in defects))
        self.assertLessEqual({name for name, _ in entries}, {defect["name"] for defect in defects})

    def test_the_driver_has_each_defect_of_the_list(self):
        folder = conform_defects.LIST.parent
        used = set(re.findall(r"BROKEN\((\w+)\)", "".join(path.read_text() for path in folder.glob("*.c"))))
        self.assertEqual(used, {defect["name"] for defect in conform_defects.read_list()})

    def test_the_short_form_names_defects_of_the_list(self):
        self.assertLessEqual(set(conform_defects.SHORT), {defect["name"] for defect in conform_defects.read_list()})

    def test_the_page_has_the_table_of_the_list(self):
        self.assertIn(conform_defects.table_of(conform_defects.read_list()), conform_defects.PAGE.read_text())


class Cases(unittest.TestCase):
    def complaints(self, cases):
        return list(conform_defects.complain_of_cases(cases, [{"cases": ["first"]}, {"cases": ["first", "second"]}]))

    def test_cases_with_a_defect_are_fine(self):
        self.assertEqual([], self.complaints(["first", "second"]))

    def test_a_case_without_one_is_found(self):
        self.assertEqual(1, len(self.complaints(["first", "second", "third"])))

    def test_a_case_that_is_gone_is_found(self):
        self.assertEqual(1, len(self.complaints(["first"])))

    def test_each_case_of_the_page_has_a_defect(self):
        cases = conform_defects.read_cases()
        self.assertGreater(len(cases), 150)
        self.assertEqual([], list(conform_defects.complain_of_cases(cases, conform_defects.read_list())))


if __name__ == "__main__":
    unittest.main()
