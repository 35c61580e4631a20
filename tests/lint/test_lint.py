# SPDX-License-Identifier: MIT
"""The lint tests find what they are there to find."""

import unittest
from unittest import mock

import circles
import dialect
import includes
import locale_rule
import parameters
import realtime_symbols
import text
import words
import writers

LICENCE = f"/* {text.LICENCE} */\n"


class Includes(unittest.TestCase):
    def complaints(self, path, *lines):
        return list(includes.complain(path, "\n".join(lines)))

    def test_a_room_knows_its_own_and_what_the_table_lists(self):
        self.assertEqual([], self.complaints("src/engine/routing.c", '#include "engine/routing.h"', '#include "os/os.h"',
                                             '#include "backend/backend.h"', "#include <string.h>"))

    def test_the_engine_must_not_know_a_backend(self):
        self.assertEqual(1, len(self.complaints("src/engine/routing.c", '#include "backend/sim/sim.h"')))

    def test_the_mixer_sees_nothing_that_could_block_it(self):
        self.assertEqual([], self.complaints("src/mixer/cycle.c", '#include "mixer/cycle.h"', '#include "os/os_realtime.h"', "#include <string.h>"))
        for header in ('"os/os.h"', '"base/log.h"', '"engine/engine.h"', "<stdlib.h>", "<stdio.h>", "<time.h>", "<threads.h>", "<pthread.h>"):
            self.assertEqual(1, len(self.complaints("src/mixer/cycle.c", f"#include {header}")), header)

    def test_backends_must_not_know_each_other(self):
        self.assertEqual([], self.complaints("src/backend/sim/sim.c", '#include "backend/sim/sim.h"'))
        self.assertEqual(1, len(self.complaints("src/backend/wasapi/wasapi.c", '#include "backend/sim/sim.h"')))

    def test_the_programs_know_the_public_headers_alone(self):
        self.assertEqual(1, len(self.complaints("src/cli/main.c", '#include "os/os.h"')))

    def test_system_headers_stay_in_their_folders(self):
        self.assertEqual([], self.complaints("src/os/win32/time.c", "#include <windows.h>"))
        self.assertEqual(1, len(self.complaints("src/client/client.c", "#  include <windows.h>")))
        self.assertEqual(1, len(self.complaints("src/dsp/dsp.c", "#include <time.h>")))

    def test_a_folder_that_the_table_does_not_know_is_refused(self):
        self.assertEqual(1, len(self.complaints("src/attic/old.c", "#include <string.h>")))

    def test_platform_macros_stay_in_their_folders(self):
        self.assertEqual([], self.complaints("src/os/denormals.c", "#ifdef _WIN32"))
        self.assertEqual(1, len(self.complaints("src/client/client.c", "#if defined(__linux__)")))
        self.assertEqual([], self.complaints("include/tutti/tutti.h", "#ifdef _WIN32", "#define TUTTI_API x"))


class Parameters(unittest.TestCase):
    def complaints(self, code, path="src/a.c"):
        return list(parameters.complain(path, code, set()))

    def test_five_parameters_are_the_most(self):
        self.assertEqual([], self.complaints("static int\nf(int a, int b, int c, int d,\n  int e)\n{\n}\n"))
        self.assertEqual(1, len(self.complaints("static int\nf(int a, int b, int c, int d,\n  int e, int f)\n{\n}\n")))

    def test_commas_of_a_callback_are_its_own(self):
        self.assertEqual([], self.complaints("void\nf(void (*g)(int a, int b, int c, int d, int e, int f), int h)\n{\n}\n"))

    def test_calls_and_declarations_are_no_functions(self):
        self.assertEqual([], self.complaints("int\nf(int a, int b, int c, int d, int e, int f);\n"))

    def test_an_older_function_keeps_its_number_and_loses_it_when_it_shrinks(self):
        with mock.patch.dict(parameters.ALLOWED, {"a.c old": 7}):
            for count, found in ((6, 1), (7, 0), (8, 1)):
                code = f"void\nold({', '.join(['int a'] * count)})\n{{\n}}\n"
                self.assertEqual(found, len(self.complaints(code)))
                self.assertEqual(1, len(self.complaints(code, "src/b.c")))


class Locale(unittest.TestCase):
    def complaints(self, path, *lines):
        return list(locale_rule.complain(path, "\n".join(lines)))

    def test_functions_that_follow_the_locale_are_found(self):
        self.assertEqual(1, len(self.complaints("src/console/args.c", "double read = strtod(text, &end);")))
        self.assertEqual(1, len(self.complaints("src/asio/entry.c", "lower[i] = (char)tolower(c);")))
        self.assertEqual(1, len(self.complaints("src/cli/main.c", 'setlocale(LC_ALL, "");')))
        self.assertEqual([], self.complaints("src/console/terminal_posix.c", 'setlocale(LC_CTYPE, "");'))
        self.assertEqual([], self.complaints("src/console/args.c", "strtol(text, &end, 10); ascii_lower(c);"))

    def test_a_decimal_point_is_found_where_a_host_runs_it(self):
        for line in ('"%g Hz"', '"%.2f"', '"%-8.3f"', '"%lf"', '"%.*g"', '"%ls"'):
            self.assertEqual(1, len(self.complaints("src/asio/note.c", line)), line)
        for line in ('"%.0f Hz"', '"%s%d%%f"', 'swprintf(path, room, L"%ls", file)'):
            self.assertEqual([], self.complaints("src/asio/note.c", line), line)
        self.assertEqual([], self.complaints("src/console/style.c", '"%.1f"'))


class RealtimeSymbols(unittest.TestCase):
    def complaints(self, *more):
        listed = "".join(f"                 U {name}\n" for name in [*realtime_symbols.ALLOWED, "dsp_mix", *more])
        return list(realtime_symbols.complain(listed + "0000000000000000 T cycle_run\n                 U cycle_run\n"))

    def test_what_is_listed_passes(self):
        self.assertEqual([], self.complaints("__assert_fail"))
        self.assertLessEqual(len(realtime_symbols.ALLOWED), 25)

    def test_a_call_that_may_block_is_found(self):
        for name in ("malloc", "pthread_mutex_lock", "os_mutex_lock", "log_error"):
            self.assertEqual(1, len(self.complaints(name)), name)

    def test_a_listed_name_that_nothing_calls_is_found(self):
        self.assertIn("os_wake_post() is in the list, and the mixer does not call it", list(realtime_symbols.complain("                 U memcpy\n")))


class Dialect(unittest.TestCase):
    def complaints(self, code):
        return list(dialect.complain("src/a.c", code))

    def test_a_body_without_braces_is_found(self):
        for code in ("if (a)\n    b();", "for (;;)\n    b();", "while (a(b))\n    c();", "if (a) {\n} else\n    b();", "do\n    a();\nwhile (b);",
                     "if (a(b,\n      c))\n    d();"):
            self.assertEqual(1, len(self.complaints(code)), code)

    def test_braces_and_what_is_no_code_pass(self):
        for code in ("if (a) {\n    b();\n} else if (c) {\n}", "do {\n    a();\n} while (b);", "/* if (a)\n b; sizeof x */", 's = "if (a) b";',
                     "#define A(x) if (x)\\\n    b", "sizeof(a) / sizeof(a[0])"):
            self.assertEqual([], self.complaints(code), code)

    def test_sizeof_without_parentheses_is_found(self):
        self.assertEqual(["src/a.c:2: sizeof without parentheses"], self.complaints("x;\nmemset(a, 0, sizeof *a);"))


class Text(unittest.TestCase):
    def complaints(self, path, content):
        return list(text.complain(path, content))

    def test_a_source_without_its_licence_is_found(self):
        self.assertEqual([], self.complaints("src/a.c", LICENCE))
        self.assertEqual([], self.complaints("run", "#!/bin/bash\n" + LICENCE))
        self.assertEqual(1, len(self.complaints("src/a.c", "int a;\n")))
        self.assertEqual(1, len(self.complaints("run", "#!/bin/bash\nset -u\n" + LICENCE)))

    def test_a_file_of_801_lines_is_too_long(self):
        self.assertEqual([], self.complaints("src/a.c", LICENCE + "\n" * 799))
        self.assertEqual(1, len(self.complaints("src/a.c", LICENCE + "\n" * 800)))

    def test_a_path_of_one_machine_is_found(self):
        self.assertEqual(1, len(self.complaints("src/a.c", LICENCE + '"/home/' + 'someone/tutti"\n')))
        self.assertEqual([], self.complaints("src/a.c", LICENCE + '"/usr/lib/wine/wine64"\n'))

    def test_an_optional_part_of_the_build_is_found(self):
        line = "# " + LICENCE.strip() + "\njack_dep = dependency('jack', required: false)\n"
        self.assertEqual(1, len(self.complaints("src/meson.build", line)))
        libm = line.replace("dependency('jack'", "cc.find_library('m'")
        self.assertEqual([], self.complaints("src/meson.build", libm))


class Circles(unittest.TestCase):
    LINE = {"a": "void\na_go(void)\n{\n    b_go();\n}\n", "b": "void\nb_go(void)\n{\n    c_go();\n}\n", "c": "void\nc_go(void)\n{\n}\n"}
    RING = {**LINE, "c": "void\nc_go(void)\n{\n    a_go(); /* back */\n}\n"}

    def test_files_in_a_line_pass(self):
        self.assertEqual([], list(circles.complain("src/a", self.LINE, [])))
        commented = {**self.LINE, "c": self.LINE["c"] + "/* a_go() */\n"}
        self.assertEqual([], list(circles.complain("src/a", commented, [])))

    def test_a_circle_is_found_unless_it_is_allowed(self):
        self.assertEqual(["src/a: a circle of files: a, b, c"], list(circles.complain("src/a", self.RING, [])))
        self.assertEqual([], list(circles.complain("src/a", self.RING, [("a b c", "a reason")])))

    def test_what_is_allowed_and_gone_is_found(self):
        self.assertEqual(1, len(list(circles.complain("src/a", self.LINE, [("a b c", "a reason")]))))


class Words(unittest.TestCase):
    def complaints(self, content, path="docs/a.md"):
        return list(words.complain(path, content))

    def test_a_retired_word_is_found(self):
        for line in ("Programs are told.", "The device is opened anew.", "A hog.", "It lets go of it.", "Whoever"):
            self.assertEqual(1, len(self.complaints(line)), line)

    def test_code_and_the_right_words_pass(self):
        self.assertEqual([], self.complaints("A CPU hog. `told` the log.\n\n    told\n\n```\ntold\n```\n[x](adr/told.md)"))

    def source(self, content):
        return list(words.complain_source("src/base/a.c", content))

    def test_a_retired_phrase_is_found_in_comments_and_strings(self):
        for code in ("/* It is told. */", "/* It lets\n * go. */", "// Whoever", 'log("opened anew");', 'log("it is "\n    "told");',
                     "f('\"'); /* anew */", 'log("is\\ntold");'):
            self.assertEqual(1, len(self.source(code)), code)
        self.assertEqual(["src/base/a.c:3: 'anew' is a retired phrase: again; reopened, restarted"], self.source("\nint a;\n/* anew */"))

    def test_identifiers_and_the_right_words_pass_in_sources(self):
        self.assertEqual([], self.source("bool told, anew; /* `is told`, a CPU hog, told_lost */ log(\"let gone\");"))

    def test_a_long_line_is_found_but_in_a_table(self):
        self.assertEqual(1, len(self.complaints("a " * 60)))
        self.assertEqual([], self.complaints("| " + "a " * 60))


class Writers(unittest.TestCase):
    def complaints(self, path, line):
        return list(writers.complain(path, f"    {line}\n"))

    def test_only_its_own_file_writes_to_a_struct(self):
        for line in ("slot->state = state;", "master->slot.state = state;", "mix->master.slot.known.rate_hz = 0;", "mix->master.slot.call_since_ns++;",
                     "mix->master.slot.known.rates_hz[2] = 0;"):
            self.assertEqual([], self.complaints("src/device/slot.c", line), line)
            self.assertEqual(1, len(self.complaints("src/engine/profiles.c", line)), line)

    def test_reading_is_free(self):
        for line in ("uint32_t state = master->slot.state;", "if (slot->state == state) {", "/* slot->state = 1 */", "call(slot->state);"):
            self.assertEqual([], self.complaints("src/engine/profiles.c", line), line)

    def test_a_part_belongs_to_the_file_of_the_part(self):
        self.assertEqual([], self.complaints("src/device/handover.c", "master->cycle.elastic = false;"))
        self.assertEqual(1, len(self.complaints("src/device/handover.c", "master->retry_ns = 0;")))


if __name__ == "__main__":
    unittest.main()
