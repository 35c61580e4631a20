# SPDX-License-Identifier: MIT
"""Programs and engines of three protocol versions meet: the engine of the newest program stays, older programs go on with it if it serves
their version, and nobody asks a newer engine to leave."""
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "campaign"))
import campaign
from campaign import Stage, wait_for

BUILD = pathlib.Path(os.environ.get("TUTTI_TEST_BUILD", campaign.TOP / "build/native"))
SUFFIX = {1: "", 2: "_next", 3: "_far"}


class VersionedStage(Stage):
    """Programs of any version, each with its own version's engine to start."""

    def engine_of(self, version):
        return self.build / ("src/tuttid/tuttid" if version == 1 else f"tests/versions/tuttid{SUFFIX[version]}")

    def program_of(self, version):
        return self.build / ("tests/campaign/campaign_program" if version == 1 else f"tests/versions/campaign_program{SUFFIX[version]}")

    def join(self, version, channel):
        self.environment["TUTTI_ENGINE"] = str(self.engine_of(version))
        program = campaign.Program(self, channel, binary=self.program_of(version))
        self.programs.append(program)
        program.tell("play 128 2")
        return program

    def serving_version(self):
        engine = self.engine()
        image = os.path.basename(os.readlink(f"/proc/{engine}/exe")) if engine else ""
        return {"tuttid": 1, "tuttid_next": 2, "tuttid_far": 3}.get(image, 0)

    def __exit__(self, *arguments):
        engine = self.engine()
        if engine:
            os.kill(engine, 9)
        super().__exit__(*arguments)


def play(program, what):
    wait_for(lambda: program.obeyed() and program.word("checked") > 1000, what)


def check(holds, what):
    if not holds:
        raise campaign.Broken(what)


def a_newer_program_replaces_an_older_engine_and_older_programs_go_on():
    with VersionedStage(build=BUILD, TUTTI_DEVICE_PERIOD=64, TUTTI_SIM_ELASTIC_MS=500) as stage:
        old = stage.join(1, 1)
        play(old, "a program of version 1 to play")
        check(stage.serving_version() == 1, "an engine of version 1 should serve")
        new = stage.join(2, 2)
        play(new, "a program of version 2 to play")
        check(stage.serving_version() == 2, "the engine of version 2 should have replaced that of version 1")
        wait_for(lambda: old.word("engines") == 2 and old.word("checked") > 1000, "the older program to go on with the newer engine")
        check(old.word("wrong") == 0, "the older program's buffers moved, or its position went backward")
        # an older newcomer is served, and replaces nobody
        engine = stage.engine()
        third = stage.join(1, 3)
        play(third, "another program of version 1 to play with the newer engine")
        time.sleep(0.5)
        check(stage.engine() == engine, "an older program made a newer engine leave")
        for program in (old, new, third):
            check(program.word("lost") == 0, "frames were lost apart from the change of engines")


def a_program_that_is_two_versions_behind_is_refused_with_a_sentence():
    with VersionedStage(build=BUILD, TUTTI_DEVICE_PERIOD=64) as stage:
        far = stage.join(3, 1)
        play(far, "a program of version 3 to play")
        middle = stage.join(2, 2)
        play(middle, "a program of version 2 to play with the engine of version 3")
        engine = stage.engine()
        behind = stage.join(1, 3)
        wait_for(lambda: behind.process.poll() is not None, "a program of version 1 to be refused")
        check(behind.process.returncode == 1, f"a program of version 1 ended with {behind.process.returncode}")
        said = behind.last_words()
        check("version" in said, f"it was refused without a reason: {said}")
        check(stage.engine() == engine and stage.serving_version() == 3, "a refused program made the engine leave")
        check(far.word("engines") == 1 and middle.word("engines") == 1, "somebody lost the engine")


def main():
    for test in (a_newer_program_replaces_an_older_engine_and_older_programs_go_on,
                 a_program_that_is_two_versions_behind_is_refused_with_a_sentence):
        test()
        print(f"ok {test.__name__}")


if __name__ == "__main__":
    main()
