# SPDX-License-Identifier: MIT
"""./run conform --defects: can each case of tutti conform fail?

The driver tests/drivers/broken is judged in a Wine prefix of its own: first as it is, and everything has to pass; then once with each defect
of tests/drivers/broken/defects.h, and the cases that the list names for it have to fail. Writes build/conform/defects.json (--wine32:
build/conform/wine32/defects.json). --docs writes the table of docs/conform.md from the list, without running anything.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
LIST = TOP / "tests/drivers/broken/defects.h"
PAGE = TOP / "docs/conform.md"
WRAPPER = TOP / "tools/wine-wrapper"
NAME = "Broken by Design"
BUSY = "the machine is busy"
BEGIN, END = "<!-- defects: made by ./run conform --defects --docs -->", "<!-- end of defects -->"
SECONDS, PATIENCE_S, WORKERS = 2, 4, 3
# the driver's clock is a thread that Wine gives no priority: it is not to stand behind whatever else the machine does
URGENT = ("nice", "-n", "-10") if os.geteuid() == 0 else ()
# one of each kind, for a test that is short
SHORT = ("name_overrun", "references_wrong", "dispose_twice_crash", "create_zero_frames_accepted", "rate_nan_accepted", "halves_not_zeroed",
         "index_sticks", "position_jumps_back", "time_in_ms", "calls_after_stop", "keeps_callbacks", "stop_in_callback_deadlocks")


def say(text):
    print(text, flush=True)


def rows(text, table):
    """The rows of an X-macro table: tuples of its arguments, strings without their quotes."""
    body = re.search(r"#define " + table + r"\(X\)(.*?)(?:\n\n|\Z)", text, re.S)
    body = re.sub(r"/\*.*?\*/", "", body.group(1).replace("\\\n", " "), flags=re.S)
    found = []
    for row in re.findall(r'X\(((?:[^()"]|"(?:[^"\\]|\\.)*")*)\)', body):
        parts = re.findall(r'((?:"(?:[^"\\]|\\.)*"\s*)+|[^,"]+)(?:,\s*|$)', row.strip())
        found.append(tuple("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', part)) if '"' in part else part.strip() for part in parts))
    return found


def read_list():
    """The defects as dictionaries, and why some cases have none."""
    text = LIST.read_text()
    defects = [{"name": name, "wrong": wrong, "processor": processor, "cases": cases.split(",")}
               for name, wrong, processor, cases in rows(text, "DEFECTS_TABLE")]
    return defects, dict(rows(text, "WITHOUT_DEFECT_TABLE"))


# ---- the page ----

def table_of(defects, without):
    cases = {}
    for defect in defects:
        for case in defect["cases"]:
            cases.setdefault(case, []).append(defect)
    lines = [BEGIN, "", "| Case | Defects that it catches |", "|---|---|"]
    lines += [f"| `{case}` | {'; '.join(one['wrong'] + (' (x86)' if one['processor'] == 'X86' else '') for one in cases[case])} |"
              for case in sorted(cases)]
    lines += ["", "No defect is made for these:", "", "| Case | Why |", "|---|---|"]
    lines += [f"| `{case}` | {without[case]} |" for case in sorted(without)]
    return "\n".join([*lines, "", END])


def write_page(defects, without):
    text, table = PAGE.read_text(), table_of(defects, without)
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0:
        text = text.rstrip("\n") + "\n\n" + table + "\n"
    else:
        text = text[:begin] + table + text[end + len(END):]
    PAGE.write_text(text)


# ---- running ----

class Judge:
    """tutti conform on the broken driver, in a prefix of its own."""

    def __init__(self, folder, bits):
        build = TOP / f"build/win{bits}"
        self.folder, self.program, self.module = folder, build / "src/cli/tutti.exe", build / "tests/drivers/broken/broken.dll"
        self.environment = dict(os.environ, WINEPREFIX=str(folder / "prefix"), TUTTI_CONFIG="C:\\no\\such\\tutti.ini")
        self.environment.pop("TUTTI_DEFECT", None)
        regsvr32 = "C:\\windows\\syswow64\\regsvr32.exe" if bits == 32 else "regsvr32"
        subprocess.run([*URGENT, WRAPPER, regsvr32, "/s", self.module], env=self.environment, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def close(self):
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=self.environment, check=False, stderr=subprocess.DEVNULL)

    def run(self, defect, only):
        """{case: result} of the report; empty when none came."""
        report = self.folder / f"{defect or 'none'}.json"
        report.unlink(missing_ok=True)
        environment = dict(self.environment, **({"TUTTI_DEFECT": defect} if defect else {}))
        words = ["conform", NAME, "--seconds", str(SECONDS), "--json", "Z:" + str(report).replace("/", "\\")]
        if defect:
            words += ["--patience", str(PATIENCE_S)]
        if only:
            words += ["--only", only]
        done = subprocess.run([*URGENT, WRAPPER, self.program, *words], env=environment, check=False, capture_output=True, text=True)
        if not report.exists():
            say(f"{defect or 'without a defect'}: no report came: {done.stderr.strip()}")
            return {}
        results = {result["name"]: result for result in json.loads(report.read_text())["results"]}
        report.unlink()
        return results


def judge_defect(judge, defect, also, sound):
    """What came of it. A case that excuses itself by a busy machine has seen the defect when the sound driver passed it in this run."""
    only = ",".join([*defect["cases"], *also])
    results = judge.run(defect["name"], only) or judge.run(defect["name"], only)
    failed = [name for name, result in results.items() if result["verdict"] == "failed"]
    excused = [case for case in defect["cases"] if (results.get(case, {}).get("reason") or "").startswith(BUSY)]
    seen = {*failed, *(case for case in excused if sound.get(case, {}).get("verdict") == "passed")}
    reasons = {case: results[case].get("reason") or "it passed" if case in results else "no report came" for case in defect["cases"]}
    return dict(defect, caught=set(defect["cases"]) <= seen, caught_by=sorted(seen), excused=excused, reasons=reasons)


def show(result):
    mark = "caught" if result["caught"] else "MISSED"
    others = [name for name in result["caught_by"] if name not in result["cases"]]
    say(f"{mark}  {result['name']:30} {', '.join(result['cases'])}{'  also ' + ', '.join(others) if others else ''}")
    if not result["caught"]:
        say(f"        {result['wrong']}: {'; '.join(result['reasons'].values())}")


def judge_all(judge, defects, also, sound):
    """Results in the order of the list. What was missed is tried once more, alone."""
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        running = [pool.submit(judge_defect, judge, defect, also, sound) for defect in defects]
        found = []
        for future in running:
            found.append(future.result())
            if found[-1]["caught"]:
                show(found[-1])
    for i, result in enumerate(found):
        if not result["caught"]:
            found[i] = judge_defect(judge, defects[i], also, sound)
            show(found[i])
    return found


def judge_sound(judge, only):
    """Without a defect: {case: result}, and whether nothing failed. What failed, or was disturbed, is tried once more, alone."""
    results = judge.run("", only)
    again = [name for name, result in results.items() if result["verdict"] == "failed" or (result["reason"] or "").startswith(BUSY)]
    if again:
        results.update(judge.run("", ",".join(again)))
    failed = [name for name, result in results.items() if result["verdict"] == "failed"]
    for name in failed:
        say(f"FAILED  without a defect         {name}: {results[name]['reason']}")
    say(f"without a defect: {len(results)} cases, {len(failed)} failed, "
        f"{sum(result['verdict'] == 'skipped' for result in results.values())} skipped")
    return results, bool(results) and not failed


def complain_of_cases(results, defects, without):
    """Cases that no defect can make fail, and names that are no cases."""
    named = {case for defect in defects for case in defect["cases"]}
    for case in results:
        if case not in named and case not in without:
            yield f"no defect makes {case} fail, and no reason is given"
    for case in sorted(named | set(without)):
        if case not in results:
            yield f"there is no case {case}"
    for case in sorted(named & set(without)):
        yield f"{case} has a defect and a reason why it has none"


def main():
    parser = argparse.ArgumentParser(prog="./run conform --defects", description="Shows that each case can fail.")
    parser.add_argument("--defects", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--docs", action="store_true", help="write the table of docs/conform.md, run nothing")
    parser.add_argument("--short", action="store_true", help="a few defects")
    parser.add_argument("--wine32", action="store_true", help="the 32-bit driver by the 32-bit program")
    parser.add_argument("--defect", metavar="NAME,...", help="these defects only")
    parser.add_argument("--also", metavar="CASE,...", default="", help="cases, groups or globs to run with each defect, too")
    arguments = parser.parse_args()
    defects, without = read_list()
    if arguments.docs:
        write_page(defects, without)
        return 0
    folder = TOP / "build/conform" / ("wine32" if arguments.wine32 else "") / ("short" if arguments.short else "broken")
    folder.mkdir(parents=True, exist_ok=True)
    if not arguments.wine32:
        defects = [defect for defect in defects if defect["processor"] != "X86"]
    every = defects
    if arguments.short:
        defects = [defect for defect in defects if defect["name"] in SHORT]
    if arguments.defect:
        defects = [defect for defect in defects if defect["name"] in arguments.defect.split(",")]
    whole = len(defects) == len(every)
    began = time.monotonic()
    judge = Judge(folder, 32 if arguments.wine32 else 64)
    try:
        results, sound = judge_sound(judge, None if whole else ",".join(sorted({case for defect in defects for case in defect["cases"]})))
        found = judge_all(judge, defects, [name for name in arguments.also.split(",") if name], results)
    finally:
        judge.close()
    complaints = list(complain_of_cases(results, every, without)) if whole else []
    for complaint in complaints:
        say(complaint)
    caught = sum(result["caught"] for result in found)
    seconds = time.monotonic() - began
    report = {"defects": len(found), "caught": caught, "sound_driver_passes": sound, "cases": len(results), "seconds": round(seconds, 1),
              "cases_without_defect": without, "results": found}
    path = folder.parent / ("defects-short.json" if arguments.short else "defects.json")
    path.write_text(json.dumps(report, indent=1) + "\n")
    say(f"{caught} of {len(found)} defects caught, {seconds:.0f} s; {path.relative_to(TOP)} is written")
    good = sound and found and caught == len(found) and not complaints
    say("PASSED" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
