#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How the installed programs are protected against exploitation, as readelf and the compile commands
show it.

hardening_test.py BUILD FLAG…   installs BUILD into a scratch folder and looks at what is there. FLAGs
                                are those that this compiler takes; the objects must show them.

A property is a line, "ok - PROGRAM: WHAT" or "not ok - PROGRAM: WHAT". What a kind of build cannot have
is said in a line with '#': Debug (not optimised) has no fortified calls; a build with sanitizers is not
hardened at all and not installed (exit status 77: skipped).
"""
import json
import os
import re
import subprocess
import sys
import tempfile

# Program: the folder that it is installed in, and what says whether it is static (systemd/cmake/static.cmake).
PROGRAMS = {
    "vpnrun-helper": ("LIBEXECDIR", "VPNRUN_STATIC_HELPER_USED"),
    "vpnrun-tunnel": ("LIBEXECDIR", None),
    "vpnrunctl": ("BINDIR", None),
    "vpnrun": ("BINDIR", "VPNRUN_STATIC_LAUNCHER_USED"),
}
# The folders of our code, and the targets of it that are not part of an installed program.
FOLDERS = ("helper/", "launcher/", "profiles/", "systemd/")
BUILD_TOOLS = ("vpnrun-filter-compiler",)

failures = 0


def check(program, what, holds, seen=""):
    global failures
    print(f"{'ok' if holds else 'not ok'} - {program}: {what}")
    if not holds:
        failures += 1
        print(f"#   {seen or 'it is not so'}")


def note(text):
    print(f"# {text}")


def readelf(options, path):
    result = subprocess.run(["readelf", "-W", *options, path], capture_output=True, text=True, check=True,
                            env={**os.environ, "LC_ALL": "C"})
    return result.stdout


def segments(path):
    """(type, address, size in memory, flags) of each program header."""
    pattern = re.compile(r"^  (\w+) +0x[0-9a-f]+ (0x[0-9a-f]+) 0x[0-9a-f]+ 0x[0-9a-f]+ (0x[0-9a-f]+) ([RWE ]{3}) ", re.M)
    return [(kind, int(address, 16), int(size, 16), flags)
            for kind, address, size, flags in pattern.findall(readelf(["-l"], path))]


def sections(path):
    """name: (address, size) of each section."""
    pattern = re.compile(r"^ +\[ *\d+\] (\S+) +\w+ +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) ", re.M)
    return {name: (int(address, 16), int(size, 16)) for name, address, size in pattern.findall(readelf(["-S"], path))}


# What a flag says in the notes of an object: on x86 and on aarch64.
PROTECTIONS = {"-fcf-protection=full": {"IBT", "SHSTK"}, "-mbranch-protection=standard": {"BTI", "PAC"}}


def notes_of(path):
    """The features that all of the file's code keeps to: IBT, SHSTK, BTI, PAC. One set an archive's member."""
    return [set(re.findall(r"IBT|SHSTK|BTI|PAC", line)) for line in readelf(["-n"], path).splitlines()
            if "Properties:" in line]


def cache_of(build):
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
        return dict(re.findall(r"^([A-Za-z0-9_]+):\w+=(.*)$", cache.read(), re.M))


def places_of(cache, scratch):
    """program: its path below the folder that it was installed into."""
    places = {}
    for program, (kind, _) in PROGRAMS.items():
        folder = os.path.join(cache["CMAKE_INSTALL_PREFIX"], cache["CMAKE_INSTALL_" + kind],
                              "vpnrun" if kind == "LIBEXECDIR" else "")
        places[program] = scratch + os.path.join(folder, program)
    return places


def layout(program, path, fixed, static):
    """What the linker decides."""
    headers = segments(path)
    kinds = [kind for kind, *_ in headers]
    dynamic = "; ".join(re.findall(r"\((?:NEEDED|FLAGS|FLAGS_1|BIND_NOW|RPATH|RUNPATH|TEXTREL)\).*",
                                   readelf(["-d"], path)))
    kind = re.search(r"Type: +(\w+)", readelf(["-h"], path)).group(1)
    check(program, "at a fixed address" if fixed else "position independent", kind == ("EXEC" if fixed else "DYN"),
          f"the type is {kind}")
    if static:
        check(program, "static: no loader, no library", "INTERP" not in kinds and "(NEEDED)" not in dynamic)
    else:
        check(program, "has a loader", "INTERP" in kinds)
    stack = [flags for kind, _, _, flags in headers if kind == "GNU_STACK"]
    # Without the header the kernel's default is an executable stack.
    check(program, "no executable stack", stack == ["RW "], f"GNU_STACK: {stack}")
    both = [flags for kind, _, _, flags in headers if kind == "LOAD" and "W" in flags and "E" in flags]
    check(program, "no segment to write and execute", not both and "LOAD" in kinds, f"{both}")
    check(program, "no library path is built in", not re.search("RPATH|RUNPATH", dynamic), dynamic)
    check(program, "no relocation of code", "TEXTREL" not in dynamic, dynamic)

    relro = [(address, address + size) for kind, address, size, _ in headers if kind == "GNU_RELRO"]
    check(program, "relocated data becomes read-only", len(relro) == 1, f"GNU_RELRO: {relro}")
    if "DYNAMIC" in kinds:
        check(program, "all relocations are made at the start", "BIND_NOW" in dynamic, dynamic or "no BIND_NOW")
    # What is called through: with lazy relocations .got.plt is apart and stays writable.
    tables = {name: place for name, place in sections(path).items() if name.startswith(".got")}
    outside = [name for name, (address, size) in tables.items()
               if not any(start <= address and address + size <= end for start, end in relro)]
    check(program, "the tables of addresses are in it", tables and not outside, f"outside of {relro}: {tables}")


def linked_notes(compiler, flags, static, fixed, wanted):
    """Whether this toolchain's start files and libc let a program have these notes at all."""
    mode = ["-static", "-no-pie"] if fixed and static else ["-static-pie", "-fPIE"] if static else ["-pie", "-fPIE"]
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "empty.cc")
        with open(source, "w", encoding="utf-8") as file:
            file.write("int main() { return 0; }\n")
        program = os.path.join(folder, "empty")
        subprocess.run([compiler, *flags, *mode, "-o", program, source], check=True)
        return any(wanted <= notes for notes in notes_of(program))


def objects_of(build):
    """(target, object, words of its compile command) of our own code."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as commands:
        for entry in json.load(commands):
            words = entry["command"].split()
            output = words[words.index("-o") + 1]
            folder, _, rest = output.partition("CMakeFiles/")
            name = rest.split(".dir/")[0]
            if folder.startswith(FOLDERS) and name not in BUILD_TOOLS:
                yield name, os.path.join(build, output), words


def code(build, flags, optimised):
    """What the compiler decides: each object of ours, a line each property."""
    groups = {}
    for name, path, words in objects_of(build):
        groups.setdefault(name, []).append((path, words))
    for name, objects in sorted(groups.items()):
        words_of = [words for _, words in objects]
        for flag in [*flags, "-D_GLIBCXX_ASSERTIONS"]:
            check(name, f"compiled with {flag}", all(flag in words for words in words_of),
                  "a compile command lacks it")
        if optimised:
            check(name, "compiled with -D_FORTIFY_SOURCE=3, and nothing takes it back",
                  all([word for word in words if "_FORTIFY_SOURCE" in word][-1:] == ["-D_FORTIFY_SOURCE=3"]
                      for words in words_of))
        for flag, wanted in PROTECTIONS.items():
            if flag in flags:
                bare = [path for path, _ in objects if wanted not in notes_of(path)]
                check(name, f"each object keeps to {' and '.join(sorted(wanted))}", not bare, ", ".join(bare))
    if not optimised:
        note("not optimised, as in Debug: nothing is fortified")


def undefined(path):
    return set(re.findall(r" UND (\w+)", readelf(["-s"], path)))


def calls(build, places, optimised):
    """What the flags have led to. (In a static program it could be libc's own.)"""
    paths = {}
    for name, path, _ in objects_of(build):
        paths.setdefault(name, []).append(path)
    for name in ("vpnrun_helper_core", "vpnrun_base", "vpnrun_service_core", "vpnrun_launcher_core", "vpnrun_profile"):
        symbols = set().union(*(undefined(path) for path in paths[name]))
        check(name, "functions with buffers look at their canary", "__stack_chk_fail" in symbols)
    if optimised:
        # The helper's own calls are all proved safe while compiling, so that none is left to be checked.
        for program in ("vpnrun-tunnel", "vpnrunctl"):
            fortified = {symbol for symbol in undefined(places[program])
                         if symbol.endswith("_chk")}
            check(program, "has fortified calls", fortified, "no symbol *_chk")


def main():
    build, flags = os.path.realpath(sys.argv[1]), sys.argv[2:]
    cache = cache_of(build)
    if cache.get("VPNRUN_SANITIZE"):
        note("skipped: a build with sanitizers is not hardened, and not installed")
        return 77
    # Debug, a build without a type, and whoever says so himself: glibc fortifies nothing then.
    levels = [[word for word in words if re.fullmatch("-O.*", word)][-1:] for _, _, words in objects_of(build)]
    optimised = not any(level in ([], ["-O0"]) for level in levels)
    with tempfile.TemporaryDirectory() as scratch:
        installed = subprocess.run(["cmake", "--install", build], capture_output=True, text=True,
                                   check=False, env={**os.environ, "DESTDIR": scratch})
        if installed.returncode != 0:
            print(installed.stderr)
            return 1
        places = places_of(cache, scratch)
        for program, path in places.items():
            # vpnrun is at a fixed address on purpose, if it can be (launcher/CMakeLists.txt).
            static = cache.get(PROGRAMS[program][1]) == "TRUE"
            fixed = program == "vpnrun" and static
            layout(program, path, fixed, static)
            for flag, wanted in PROTECTIONS.items():
                what = " and ".join(sorted(wanted))
                if flag not in flags:
                    continue
                if linked_notes(cache["CMAKE_CXX_COMPILER"], flags, static, fixed, wanted):
                    check(program, f"keeps to {what} as a whole", wanted in notes_of(path))
                else:
                    note(f"{program}: libc's own start files have no notes of {what} here, so that no program can")
        calls(build, places, optimised)
    code(build, flags, optimised)
    print(f"{failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
