# SPDX-License-Identifier: MIT
"""./run network: Tutti on two hosts that JACK's network driver joins, each frame compared.

The hosts are network namespaces with a cable between them, a jackd, a tuttid and a program each. Host a has the clock (the dummy
driver) and JACK's netmanager, host b takes its time from the network (jackd -d net). Both programs play numbered frames; four cables in the two
graphs carry them there, here, and round either way. Needs root; everything happens in namespaces of its own and is gone with them.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import network_compare

TOP = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = 77
WAIT_S = 30
RATE = 48000
DRIVERS = ("/usr/lib/*/jack/jack_net.so", "/usr/lib/*/jack/netmanager.so")
TOOLS = ("ip", "unshare", "nsenter", "jackd", "jack_load", "jack_lsp", "jack_connect", "jack_wait")
ADDRESS = {"a": "10.77.0.1", "b": "10.77.0.2"}
TROUBLE = re.compile(r"xrun|missing|not received|too late|error|fail", re.IGNORECASE)
# what is plugged in, on whom: b's loop is closed on a, a's loop on b; the first channels lead to the other program
CABLES = (("a", "b:from_slave_1", "Tutti:in_1"), ("a", "Tutti:out_1", "b:to_slave_1"), ("a", "b:from_slave_2", "b:to_slave_2"),
          ("a", "Tutti:out_2", "b:to_slave_3"), ("a", "b:from_slave_3", "Tutti:in_2"), ("b", "system:capture_3", "system:playback_3"))


class Failure(Exception):
    pass


def wait_for(condition, what, seconds=WAIT_S):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds} s in vain for {what}")
        time.sleep(0.05)


class Host:
    """A network namespace with shared memory of its own, and what runs in it."""

    def __init__(self, name, folder, build):
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        self.running = []
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("TUTTI_", "JACK_"))}
        self.environment.update(JACK_NO_START_SERVER="1", JACK_NO_AUDIO_RESERVATION="1", TUTTI_RUNTIME_DIR=str(self.folder / "runtime"),
                                TUTTI_ENGINE=str(build / "src/tuttid/tuttid"), TUTTI_CONFIG="/dev/null", TUTTI_DEVICE_BACKEND="jack",
                                TUTTI_JACK_INPUTS="2", TUTTI_JACK_OUTPUTS="2", TUTTI_JACK_CONNECT="no" if name == "a" else "yes",
                                TUTTI_ENGINE_GRACE_MS="0")
        self.holder = subprocess.Popen(["ip", "netns", "exec", name, "unshare", "--mount", "--uts", "sh", "-c",
                                        f"mount -t tmpfs tmpfs /dev/shm && hostname {name} && echo && exec sleep infinity"],
                                       stdout=subprocess.PIPE)
        if not self.holder.stdout.readline():
            raise Failure(f"host {name} cannot be made")

    def inside(self, command):
        return ["nsenter", "--target", str(self.holder.pid), "--net", "--mount", "--uts", *map(str, command)]

    def run(self, *command):
        """Runs and waits: (status, what it said)."""
        done = subprocess.run(self.inside(command), env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=WAIT_S, check=False)
        return done.returncode, done.stdout.decode(errors="replace")

    def start(self, *command, log, **pipes):
        with open(self.folder / log, "wb") as said:
            process = subprocess.Popen(self.inside(command), env=self.environment, **{"stdin": subprocess.DEVNULL, "stdout": said, **pipes},
                                       stderr=said)
        self.running.append(process)
        return process

    def ports(self):
        return self.run("jack_lsp")[1].split()

    def connect(self, source, destination):
        status, said = self.run("jack_connect", source, destination)
        if status:
            raise Failure(f"cannot connect {source} with {destination} on host {self.name}: {said.strip()}")

    def log(self, name):
        return (self.folder / name).read_text(errors="replace")

    def is_connected(self, source, destination):
        """jack_lsp -c tells each port, and under it, indented, those that it is connected with."""
        port = ""
        for line in self.run("jack_lsp", "-c")[1].splitlines():
            if not line.startswith(" "):
                port = line
            elif port == source and line.strip() == destination:
                return True
        return False

    def close(self):
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class Stage:
    """Two hosts and the cable between them. Used in a with statement."""

    def __init__(self, case):
        self.case = case
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tutti-network-"))
        self.hosts = {}
        self.programs = {}

    def __enter__(self):
        try:
            for name in ADDRESS:
                ip("netns", "add", name)
            ip("link", "add", "to_b", "netns", "a", "type", "veth", "peer", "name", "to_a", "netns", "b")
            for name, link in (("a", "to_b"), ("b", "to_a")):
                ip("-n", name, "addr", "add", f"{ADDRESS[name]}/24", "dev", link)
                ip("-n", name, "link", "set", "lo", "up")
                ip("-n", name, "link", "set", link, "up")
                self.hosts[name] = Host(name, self.folder, self.case["build"])
            self.route()
        except BaseException:
            self.__exit__()
            raise
        return self

    def route(self):
        """The driver looks for its manager by multicast; the routes go with the wire."""
        for name, link in (("a", "to_b"), ("b", "to_a")):
            ip("-n", name, "route", "replace", "224.0.0.0/4", "dev", link)

    def __exit__(self, kind=None, *_):
        for host in self.hosts.values():
            host.close()
            if kind:
                print(f"-- jackd on host {host.name}:\n" + "\n".join(host.log("jackd.log").splitlines()[-12:]))
        for name in ADDRESS:
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_clock(self):
        a = self.hosts["a"]
        a.start("jackd", "-R", "-P", "80", "-d", "dummy", "-r", RATE, "-p", self.case["period"], "-C", 2, "-P", 2, log="jackd.log")
        if a.run("jack_wait", "-w", "-t", "10")[0]:
            raise Failure(f"jackd does not start on host a: {last_line(a.log('jackd.log'))}")

    def start_servers(self):
        a, b = self.hosts["a"], self.hosts["b"]
        self.start_clock()
        status, said = a.run("jack_load", "netmanager")
        if status:
            raise Failure(f"the netmanager does not load: {last_line(said)}")
        mode = ["-S"] if self.case["sync"] else []
        b.start("jackd", "-R", "-P", "80", *mode, "-d", "net", "-C", 3, "-P", 3, "-n", "b", "-l", self.case["latency"], log="jackd.log")
        wait_for(self.joined, "the two servers to find each other")

    def joined(self):
        return "b:from_slave_3" in self.hosts["a"].ports() and "system:playback_3" in self.hosts["b"].ports()

    def start_program(self, name):
        host = self.hosts[name]
        program = host.start(self.case["build"] / "tests/network/network_program", host.folder / "heard", self.case["period"], 2,
                             int(self.case["seconds"]) + 60, log="program.log", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.programs[name] = program
        if not program.stdout.readline().startswith(b"ready"):
            raise Failure(f"the program on host {name} does not play: {last_line(host.log('program.log'))}")

    def start_programs(self):
        for name in self.hosts:
            self.start_program(name)
        self.plug_in()

    def plug_in(self):
        for host, source, destination in CABLES:
            self.hosts[host].connect(source, destination)

    def stop_programs(self):
        for program in self.programs.values():
            program.stdin.close()
        for name, program in self.programs.items():
            if program.wait(WAIT_S):
                raise Failure(f"the program on host {name} failed: {last_line(self.hosts[name].log('program.log'))}")
            program.stdout.close()

    def latency(self, host, port, mode):
        """What the server of host tells of a port, the greatest."""
        said = self.hosts[host].run("jack_lsp", "-l", port)[1]
        return int(re.search(rf"port {mode} latency = \[ \d+ (\d+) \]", said).group(1))

    def xruns(self, host):
        said = self.hosts[host].run(self.case["build"] / "src/cli/tutti", "status", "--json")[1]
        return json.loads(said)["engine"]["device_xruns"]

    def trouble(self):
        """Lines of the servers' logs that tell of trouble, by host."""
        return {name: sum(bool(TROUBLE.search(line)) for line in host.log("jackd.log").splitlines()) for name, host in self.hosts.items()}


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise Failure(f"ip {' '.join(arguments)}: {done.stdout.decode().strip()}")


def last_line(text):
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def measure_alone(case):
    """Host a without a network, its program patched into itself: what the machine drops by itself, for comparison."""
    with Stage(case) as stage:
        stage.start_clock()
        stage.start_program("a")
        stage.hosts["a"].connect("Tutti:out_1", "Tutti:in_1")
        started = stage.xruns("a")
        time.sleep(case["seconds"] + 3 * network_compare.EDGE_S)
        xruns = stage.xruns("a") - started
        stage.stop_programs()
        heard = network_compare.read(stage.hosts["a"].folder / "heard")
    path = network_compare.compare(heard, 0, heard.frames)
    path.update(delay_frames=path["offset_frames"], reported_frames=heard.input_latency + heard.output_latency)
    return {"period": case["period"], "xruns": {"a": xruns}, "paths": {"a to itself": path}}


def measure(case):
    """One case: {path: what was heard on it}."""
    with Stage(case) as stage:
        stage.start_servers()
        stage.start_programs()
        before = stage.trouble()
        started = {name: stage.xruns(name) for name in stage.hosts}
        time.sleep(case["seconds"] + 3 * network_compare.EDGE_S)
        reported = {"to_b": stage.latency("a", "b:to_slave_3", "playback"), "from_b": stage.latency("a", "b:from_slave_3", "capture"),
                    "b_capture": stage.latency("b", "system:capture_1", "capture"),
                    "b_playback": stage.latency("b", "system:playback_1", "playback")}
        xruns = {name: stage.xruns(name) - started[name] for name in stage.hosts}
        trouble = {name: count - before[name] for name, count in stage.trouble().items()}
        stage.stop_programs()
        heard = {name: network_compare.read(host.folder / "heard") for name, host in stage.hosts.items()}
    result = {key: case[key] for key in ("period", "latency", "sync")}
    result.update(ports=reported, xruns=xruns, server_lines=trouble, paths=judge(heard, reported, case["period"]))
    return result


def pull(case):
    """The wire is out for some seconds, with both programs playing. What comes back by itself, and what once host a is patched anew."""
    with Stage(case) as stage:
        a, b = stage.hosts["a"], stage.hosts["b"]
        stage.start_servers()
        stage.start_programs()
        time.sleep(2)
        ip("-n", "a", "link", "set", "to_b", "down")
        wait_for(lambda: "system:playback_1" not in b.ports(), "host b to notice that the wire is out")
        ip("-n", "a", "link", "set", "to_b", "up")
        stage.route()
        back = time.monotonic()
        wait_for(lambda: b.is_connected("Tutti:out_1", "system:playback_1"), "Tutti on host b to be connected again")
        seconds = time.monotonic() - back
        names = sorted({port.split(":")[0] for port in a.ports() if "slave" in port})
        a.connect(f"{names[-1]}:from_slave_1", "Tutti:in_1")
        a.connect("Tutti:out_1", f"{names[-1]}:to_slave_1")
        time.sleep(3)
        stage.stop_programs()
        heard = {name: network_compare.read(host.folder / "heard") for name, host in stage.hosts.items()}
    sounds = {name: network_compare.sounds_at_end(recording, 0) for name, recording in heard.items()}
    print(f"\nthe wire was out: Tutti on host b is connected {seconds:.1f} s after it is back, host a has the clients {', '.join(names)};"
          f" frames that go on by one in the last second, patched anew: {sounds}")
    return {"period": case["period"], "wire_out": True, "b_connected_s": round(seconds, 2), "clients_on_a": names, "sound": sounds}


def judge(heard, reported, period):
    """The four paths. reported_frames: the programs' latencies and, where Tutti's ports on a are patched to the network, those of JACK's ports."""
    a, b = heard["a"], heard["b"]
    out_a, in_a = a.output_latency + reported["to_b"], a.input_latency + max(0, reported["from_b"] - period)
    paths = {}
    for name, hearer, sender, channel, told in (
            ("b to a", a, b, 0, b.output_latency + a.input_latency), ("a to b", b, a, 0, a.output_latency + b.input_latency),
            ("b to a to b", b, b, 1, b.output_latency + b.input_latency), ("a to b to a", a, a, 1, out_a + in_a)):
        path = network_compare.compare(hearer, channel, sender.frames)
        if hearer is sender:
            path["delay_frames"] = path["offset_frames"]
        else:
            path["delay_frames"], path["deviation_frames"] = (round(value, 2) for value in
                                                              network_compare.one_way(hearer, channel, sender))
        path["reported_frames"] = told
        paths[name] = path
    return paths


def broken(result):
    """What should not be, as sentences. Shares, for a machine that does something else too drops periods; but never a wrong sample."""
    found = []
    if "wire_out" in result:
        return [f"the wire was out: host {name} hears nothing again" for name, frames in result["sound"].items() if not frames]
    for name, path in result["paths"].items():
        if path["damaged"]:
            found.append(f"{name}: {path['damaged']} frames were heard that nobody played")
        if (path["exact"] + path["moved"]) * 10 < path["frames"] * 7:
            found.append(f"{name}: only {path['exact'] + path['moved']} of {path['frames']} frames arrived")
    path = result["paths"].get("a to b to a")
    if path and not result["sync"] and path["delay_frames"] != path["reported_frames"]:
        found.append(f"a to b to a: {path['delay_frames']} frames, {path['reported_frames']} were told")
    return found


def show(result):
    if "latency" in result:
        print(f"\n{result['period']} frames, network latency {result['latency']}{', sync' if result['sync'] else ''}:"
              f" ports tell {result['ports']}, xruns {result['xruns']}, lines of trouble {result['server_lines']}")
    else:
        print(f"\n{result['period']} frames, no network: xruns {result['xruns']}")
    for name, path in result["paths"].items():
        print(f"  {name:12} delay {path['delay_frames']:>8} told {path['reported_frames']:>6}   frames {path['frames']:>8} exact {path['exact']:>8}"
              f" silent {path['silent']} moved {path['moved']} damaged {path['damaged']} in {path['dropouts']} dropouts, longest {path['longest_frames']}")


def parse():
    parser = argparse.ArgumentParser(prog="./run network", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=60, help="that are judged, in each case")
    parser.add_argument("--periods", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--latencies", type=int, nargs="+", default=[2], help="of the network, in periods (jackd -d net -l)")
    parser.add_argument("--sync", action="store_true", help="host b's jackd waits for its clients (-S)")
    parser.add_argument("--pull", action="store_true", help="then the wire is pulled and put in again")
    parser.add_argument("--short", action="store_true", help="the test: a few seconds of one case")
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build/native")
    parser.add_argument("--out", type=pathlib.Path, default=TOP / "build/network.json")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def why_not():
    """None, or a sentence: what is missing here."""
    if os.geteuid():
        return "two hosts on one machine need root; run it as root"
    for tool in TOOLS:
        if not shutil.which(tool):
            return f"{tool} is not installed (packages iproute2, util-linux, jackd2)"
    for pattern in DRIVERS:
        if not list(pathlib.Path("/").glob(pattern[1:])):
            return f"jackd2 is here without {pathlib.Path(pattern).name}"
    if subprocess.run([*PRIVATE, "sh", "-c", "mount -t tmpfs tmpfs /run && ip link add left type veth peer name right"],
                      stderr=subprocess.DEVNULL, check=False).returncode:
        return "this system does not let us make network namespaces with a cable between them"
    return None


PRIVATE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


def go(arguments):
    """In namespaces of our own already."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)  # names of network namespaces lie there
    results = []
    if arguments.short:
        arguments.seconds, arguments.periods, arguments.latencies = 1, [256], [2]
    for period in arguments.periods:
        case = {"period": period, "seconds": arguments.seconds, "build": arguments.build, "sync": arguments.sync}
        if not arguments.short:
            results.append(measure_alone(case))
            show(results[-1])
        for latency in arguments.latencies:
            results.append(measure({**case, "latency": latency}))
            show(results[-1])
    if arguments.pull:
        results.append(pull({"period": 256, "latency": 2, "sync": False, "seconds": 60, "build": arguments.build}))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps({"when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                                         "seconds": arguments.seconds, "load": os.getloadavg(), "cases": results}, indent=1) + "\n")
    print(f"\n{arguments.out}")
    wrong = [sentence for result in results for sentence in broken(result)]
    if wrong:
        raise Failure("; ".join(wrong))


def main():
    arguments = parse()
    if not arguments.inside:
        reason = why_not()
        if reason:
            print(f"network: {reason}")
            return SKIPPED
        return subprocess.run([*PRIVATE, sys.executable, *sys.argv, "--inside"], check=False).returncode
    try:
        go(arguments)
    except (Failure, network_compare.Unheard) as failure:
        print(f"network: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
