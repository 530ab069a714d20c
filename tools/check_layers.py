#!/usr/bin/env python3
"""Fails on an #include that crosses folders in a way cmake/layers.txt does not allow."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def read_layers():
    layers = {}
    for line in (ROOT / "cmake/layers.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            folder, _, allowed = line.partition(":")
            layers[folder.strip()] = set(allowed.split())
    return layers


def find_cycle(layers):
    seen, path = set(), []

    def visit(folder):
        if folder in path:
            return path[path.index(folder):] + [folder]
        if folder in seen:
            return None
        path.append(folder)
        for below in layers.get(folder.split("/")[0], ()):
            if found := visit(below.split("/")[0]):
                return found
        seen.add(path.pop())
        return None

    return next((c for c in map(visit, list(layers)) if c), None)


def main():
    layers = read_layers()
    faults = []
    if cycle := find_cycle(layers):
        faults.append("cmake/layers.txt has a cycle: " + " -> ".join(cycle))
    count = 0
    for base in ("src", "cli"):
        for path in sorted((ROOT / base).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            count += 1
            relative = path.relative_to(ROOT)
            folder = relative.parts[1] if base == "src" else "cli"
            in_tests = "tests" in relative.parts
            if folder not in layers:
                faults.append(f"{relative}: folder {folder} is not in cmake/layers.txt")
                continue
            for target in INCLUDE.findall(path.read_text(errors="replace")):
                parts = target.split("/")
                if len(parts) < 2:
                    faults.append(f'{relative}: "{target}" must be named from src/')
                    continue
                name = f"api/{pathlib.Path(parts[1]).stem}" if parts[0] == "api" else parts[0]
                if parts[0] == folder or name in layers[folder] or in_tests and parts[0] == "tests":
                    continue
                faults.append(f'{relative}: includes "{target}"; {folder} may include only: '
                              + " ".join([folder, *sorted(layers[folder])]))
    for fault in faults:
        print(fault)
    print(f"{count} files read, {len(faults)} faults")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main())
